using System.Globalization;

namespace HeadCluster.Cli.Files;

/// <summary>What the header of a .npy file says: <c>{'descr': '&lt;f4', 'fortran_order': False, 'shape': (11, 48), }</c>.</summary>
/// <param name="Type">Type of the elements, such as <c>&lt;f4</c>.</param>
/// <param name="ColumnMajor">Whether the first axis is contiguous instead of the last.</param>
/// <param name="Shape">Length of each axis.</param>
internal sealed record NpyHeader(string Type, bool ColumnMajor, int[] Shape)
{
    /// <summary>Reads the text; each of the three keys must be there once, in any order, and nothing else.</summary>
    public static NpyHeader Parse(string path, string text)
    {
        var parser = new Parser(path, text);
        string? type = null;
        bool? columnMajor = null;
        int[]? shape = null;
        parser.Expect('{');
        while (!parser.TryTake('}'))
        {
            var key = parser.TakeString();
            parser.Expect(':');
            switch (key)
            {
                case "descr" when type is null:
                    type = parser.TakeString();
                    break;
                case "fortran_order" when columnMajor is null:
                    columnMajor = parser.TakeBoolean();
                    break;
                case "shape" when shape is null:
                    shape = parser.TakeShape();
                    break;
                default:
                    throw parser.Malformed($"has the key '{key}', unknown or there twice");
            }

            if (!parser.TryTake(','))
            {
                parser.Expect('}');
                break;
            }
        }

        parser.ExpectEnd();
        return type is not null && columnMajor is { } isColumnMajor && shape is not null
            ? new NpyHeader(type, isColumnMajor, shape)
            : throw parser.Malformed("needs descr, fortran_order and shape");
    }

    /// <summary>Reads the few pieces of Python's syntax that such a header is made of.</summary>
    private ref struct Parser
    {
        private readonly string _path;
        private ReadOnlySpan<char> _rest;

        public Parser(string path, string text)
        {
            _path = path;
            _rest = text;
        }

        public readonly Exception Malformed(string what) => NpyFormat.Malformed(_path, $"its header {what}");

        public bool TryTake(char symbol)
        {
            _rest = _rest.TrimStart();
            if (_rest.IsEmpty || _rest[0] != symbol)
            {
                return false;
            }

            _rest = _rest[1..];
            return true;
        }

        public void Expect(char symbol)
        {
            if (!TryTake(symbol))
            {
                throw Malformed($"lacks a '{symbol}'");
            }
        }

        public readonly void ExpectEnd()
        {
            if (!_rest.Trim().IsEmpty)
            {
                throw Malformed("goes on after its end");
            }
        }

        public string TakeString()
        {
            var quote = TryTake('\'') ? '\'' : '"';
            if (quote == '"')
            {
                Expect('"');
            }

            var end = _rest.IndexOf(quote);
            if (end < 0)
            {
                throw Malformed("has a text without end");
            }

            var text = _rest[..end].ToString();
            _rest = _rest[(end + 1)..];
            return text;
        }

        public bool TakeBoolean() => TakeWord("True") || (TakeWord("False") ? false : throw Malformed("says neither True nor False of fortran_order"));

        public int[] TakeShape()
        {
            var shape = new List<int>();
            Expect('(');
            while (!TryTake(')'))
            {
                shape.Add(TakeNumber());
                if (!TryTake(','))
                {
                    Expect(')');
                    break;
                }
            }

            return [.. shape];
        }

        private bool TakeWord(string word)
        {
            _rest = _rest.TrimStart();
            if (!_rest.StartsWith(word))
            {
                return false;
            }

            _rest = _rest[word.Length..];
            return true;
        }

        private int TakeNumber()
        {
            _rest = _rest.TrimStart();
            var digits = _rest.IndexOfAnyExceptInRange('0', '9');
            var text = digits < 0 ? _rest : _rest[..digits];
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                throw Malformed("has a shape that is not of whole numbers below 2^31");
            }

            _rest = _rest[text.Length..];
            return number;
        }
    }
}
