namespace HeadCluster.Cli.Simulate;

/// <summary>
/// What happens to a fleet: every minute some silos become 2 to 4 times slower for one to three minutes, and every second minute some
/// die, for which others join a minute later.
/// </summary>
internal sealed class Disturbances
{
    private const int SilosForOneSlower = 200;
    private const int SilosForOneDeath = 500;

    private readonly SimulatedFleet _fleet;
    private readonly Random _random;
    private readonly PriorityQueue<Action, (TimeSpan When, int Order)> _coming = new();

    /// <param name="fleet">The fleet.</param>
    /// <param name="random">Where chance comes from.</param>
    /// <param name="duration">For how long anything begins.</param>
    public Disturbances(SimulatedFleet fleet, Random random, TimeSpan duration)
    {
        _fleet = fleet;
        _random = random;
        var silos = fleet.Silos.Count;
        for (var minute = 0; minute < (int)duration.TotalMinutes; minute++)
        {
            Repeat(1 + (silos / SilosForOneSlower), minute, SlowDown);
            Repeat(minute % 2 == 0 ? 1 + (silos / SilosForOneDeath) : 0, minute, Die);
        }
    }

    /// <summary>Silos that were slowed down.</summary>
    public int Slowdowns { get; private set; }

    /// <summary>Silos that died.</summary>
    public int Deaths { get; private set; }

    /// <summary>Silos that joined.</summary>
    public int Joins { get; private set; }

    /// <summary>Lets happen what is due.</summary>
    /// <returns>Whether anything happened.</returns>
    public bool Advance(TimeSpan now)
    {
        var happened = false;
        while (_coming.TryPeek(out var action, out var due) && due.When <= now)
        {
            _coming.Dequeue();
            action();
            happened = true;
        }

        return happened;
    }

    private void Repeat(int times, int minute, Action<TimeSpan> action)
    {
        for (var i = 0; i < times; i++)
        {
            var when = TimeSpan.FromMinutes(minute + _random.NextDouble());
            At(when, () => action(when));
        }
    }

    private void SlowDown(TimeSpan now)
    {
        var silo = Any();
        if (silo.Slowdown > 1)
        {
            return;
        }

        Slowdowns++;
        silo.Slowdown = 2 + (2 * _random.NextDouble());
        At(now + TimeSpan.FromMinutes(1 + (2 * _random.NextDouble())), () => silo.Slowdown = 1);
    }

    private void Die(TimeSpan now)
    {
        var silo = Any();
        if (!_fleet.CanLose(silo))
        {
            return;
        }

        Deaths++;
        silo.IsAlive = false;
        At(now + TimeSpan.FromMinutes(1), () =>
        {
            Joins++;
            _fleet.Join();
        });
    }

    private SimulatedSilo Any()
    {
        var alive = _fleet.Silos.Where(silo => silo.IsAlive).ToArray();
        return alive[_random.Next(alive.Length)];
    }

    private void At(TimeSpan when, Action action) => _coming.Enqueue(action, (when, _coming.Count));
}
