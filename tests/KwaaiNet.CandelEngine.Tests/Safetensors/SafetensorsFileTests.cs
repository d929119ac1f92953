using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Safetensors;

namespace KwaaiNet.CandelEngine.Tests.Safetensors;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_written_is_read()
    {
        using MemoryStream stream = new();
        float[] values = [1.5f, -2, float.MinValue, 0, 1e-40f, 7];
        using (SafetensorsWriter writer = new(stream, leaveOpen: true))
        {
            writer.AddMetadata("format", "pt");
            writer.AddTensor("a.weight", SafetensorsType.F32, 2, 3);
            writer.AddTensor("gr\u00FC\u00DFe \"quoted\"", SafetensorsType.BF16, 2);
            writer.AddTensor("scalar", SafetensorsType.I64);
            writer.AddTensor("empty", SafetensorsType.F16, 0, 4);
            writer.WriteTensor("a.weight", MemoryMarshal.AsBytes(values.AsSpan(0, 4)));
            writer.WriteTensor("a.weight", MemoryMarshal.AsBytes(values.AsSpan(4)));
            writer.WriteTensor("gr\u00FC\u00DFe \"quoted\"", [1, 2, 3, 4]);
            writer.WriteTensor("scalar", new byte[8]);
            writer.Finish();
        }

        using SafetensorsFile file = SafetensorsFile.Open(_folder.Write("a.safetensors", stream.ToArray()));
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(["a.weight", "gr\u00FC\u00DFe \"quoted\"", "scalar", "empty"], file.TensorNames);
        Assert.True(file.TryGetTensor("a.weight", out SafetensorsTensor matrix));
        Assert.Equal([2L, 3L], matrix.Shape);
        Assert.Equal(values, MemoryMarshal.Cast<byte, float>(matrix.Bytes).ToArray());
        Assert.True(file.TryGetTensor("gr\u00FC\u00DFe \"quoted\"", out SafetensorsTensor brain));
        Assert.Equal(SafetensorsType.BF16, brain.Type);
        Assert.Equal([1, 2, 3, 4], brain.Bytes.ToArray());
        Assert.True(file.TryGetTensor("scalar", out SafetensorsTensor scalar));
        Assert.Empty(scalar.Shape);
        Assert.Equal(8, scalar.ByteLength);
        Assert.False(file.TryGetTensor("b", out _));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(stream.ToArray())), file.Sha256);
        Assert.Equal(0, (int)(BinaryPrimitives.ReadUInt64LittleEndian(stream.ToArray()) % 8));
    }

    // Each header is a lie of its own about eight bytes of data; the message must name what is wrong.
    [Theory]
    [Trait("Category", "BadInput")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "'a'", "12")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", "'a'", "truncated")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "'a'", "8 to 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", "'a' and 'b'", "overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "'b'", "overlap")]
    [InlineData("""{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "'b'", "0 to 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "at the end", "4 to 8")]
    [InlineData("""{}""", "at the end", "0 to 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "'a'", "twice")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "'a'", "twice")]
    [InlineData("""{"a":{"dtype":"Q9","shape":[2],"data_offsets":[0,8]}}""", "'a'", "'Q9'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "'a'", "shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "'a'", "shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,2],"data_offsets":[0,8]}}""", "'a'", "elements")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807],"data_offsets":[0,8]}}""", "'a'", "elements")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}""", "'a'", "more than 8")]
    [InlineData("""{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,8]}}""", "'a'", "F4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"file":"b"}}""", "'a'", "'file'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", "'a'", "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", "'a'", "data_offsets")]
    [InlineData("""{"a":null}""", "'a'", "Null")]
    [InlineData("""{"__metadata__":{"a":1}}""", "__metadata__", "Number")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", "__metadata__", "twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""", "JSON", "download")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}}""", "JSON", "download")]
    [InlineData("""["a"]""", "'{'", "download")]
    public void A_header_that_lies_is_refused(string header, string what, string how)
    {
        string path = WriteRaw((ulong)Encoding.UTF8.GetByteCount(header), Encoding.UTF8.GetBytes(header), new byte[8]);
        string message = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path)).Message;
        Assert.Contains(path, message);
        Assert.Contains(what, message);
        Assert.Contains(how, message);
    }

    [Fact]
    [Trait("Category", "BadInput")]
    public void A_length_that_cannot_be_is_refused_without_reading_so_much()
    {
        byte[] header = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"""u8.ToArray();
        foreach (ulong length in (ulong[])[ulong.MaxValue, long.MaxValue, 1UL << 40, 100_000_001, (ulong)header.Length + 9, 0, 1])
        {
            string path = WriteRaw(length, header, new byte[8]);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path));
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 100_000);
        }
    }

    [Fact]
    [Trait("Category", "BadInput")]
    public void Other_files_are_told_apart()
    {
        Assert.Contains("empty", Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(_folder.Write("e", []))).Message);
        Assert.Contains("git lfs", Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(_folder.Write("p", "version https://git-lfs.github.com/spec/v1"u8))).Message);
        Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(_folder.Write("s", [1, 0, 0])));
        Assert.Throws<FileNotFoundException>(() => SafetensorsFile.Open(Path.Combine(_folder.Path, "none")));
        byte[] broken = [(byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}'];
        Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(WriteRaw((ulong)broken.Length, broken, [])));
    }

    [Fact]
    public void The_writer_refuses_what_cannot_be_read()
    {
        using SafetensorsWriter writer = new(new MemoryStream());
        writer.AddTensor("a", SafetensorsType.F32, 1);
        Assert.Throws<ArgumentException>(() => writer.AddTensor("a", SafetensorsType.F32, 1));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("__metadata__", SafetensorsType.F32, 1));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("b", SafetensorsType.F4, 3));
        Assert.Throws<ArgumentException>(() => writer.AddTensor("b", SafetensorsType.F4, -2));
        Assert.Throws<ArgumentException>(() => writer.WriteTensor("b", [1]));
        Assert.Throws<ArgumentException>(() => writer.WriteTensor("a", new byte[5]));
        Assert.Throws<InvalidOperationException>(writer.Finish);
        Assert.Throws<InvalidOperationException>(() => writer.AddTensor("c", SafetensorsType.F32, 1));
    }

    private string WriteRaw(ulong length, byte[] header, byte[] data)
    {
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, length);
        return _folder.Write("raw.safetensors", [.. prefix, .. header, .. data]);
    }
}
