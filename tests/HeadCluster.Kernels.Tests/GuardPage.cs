using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace HeadCluster.Kernels.Tests;

/// <summary>Memory whose end lies at a page that nobody may touch: the first element read or written behind it ends the process.</summary>
internal static partial class GuardPage
{
    private const int NoAccess = 0, ReadWrite = 3, PrivateMapping = 2;
    private const uint Commit = 0x3000, WindowsReadWrite = 4, WindowsNoAccess = 1;

    // By their number of pages. Kept for the next buffer of that size: tests ask for a hundred thousand.
    private static readonly ConcurrentDictionary<int, ConcurrentBag<nint>> Spare = new();

    /// <summary>The first address of some accessible pages, which an inaccessible one follows.</summary>
    public static nint Rent(int pages) => Spare.GetOrAdd(pages, _ => []).TryTake(out var memory) ? memory : Allocate(pages);

    /// <summary>Gives pages back.</summary>
    public static void Return(nint memory, int pages) => Spare[pages].Add(memory);

    private static nint Allocate(int pages)
    {
        var page = Environment.SystemPageSize;
        var (accessible, all) = (pages * page, (pages + 1) * page);
        if (OperatingSystem.IsWindows())
        {
            var memory = VirtualAlloc(0, (nuint)all, Commit, WindowsReadWrite);
            Check(memory != 0 && VirtualProtect(memory + accessible, (nuint)page, WindowsNoAccess, out _));
            return memory;
        }
        else
        {
            var anonymous = OperatingSystem.IsMacOS() ? 0x1000 : 0x20;
            var memory = MemoryMap(0, (nuint)all, ReadWrite, PrivateMapping | anonymous, -1, 0);
            Check(memory != -1 && MemoryProtect(memory + accessible, (nuint)page, NoAccess) == 0);
            return memory;
        }
    }

    private static void Check(bool succeeded)
    {
        if (!succeeded)
        {
            throw new OutOfMemoryException($"no guarded memory: error {Marshal.GetLastPInvokeError()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int MemoryProtect(nint address, nuint length, int protection);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualProtect(nint address, nuint size, uint protection, out uint previous);
}
