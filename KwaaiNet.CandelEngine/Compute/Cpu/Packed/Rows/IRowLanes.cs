namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

/// <summary>
/// A register seen from packed weights: each of its 32-bit lanes belongs to one output row, and holds a float, an integer,
/// two 16-bit numbers or four bytes of that row's neighbouring columns. Kernels are written once over it.
/// </summary>
/// <remarks>
/// Lanes never mix, so a row's result is a sum in the order of its columns whatever the width; integer sums are exact. Hence every
/// width, and the plain loops of <see cref="Kernels.ScalarPackedKernels"/>, give the same bits.
/// </remarks>
internal unsafe interface IRowLanes<TSelf> where TSelf : struct, IRowLanes<TSelf>
{
    /// <summary>Rows in one register: 16, 8 or 4.</summary>
    static abstract int Rows { get; }

    /// <summary>Activation rows worth running together with the registers there are: 8 or 4.</summary>
    static abstract int TileRows { get; }

    static abstract TSelf Zero { get; }

    /// <summary>The same 32 bits in every lane.</summary>
    static abstract TSelf Broadcast(int bits);

    /// <summary>The same float in every lane.</summary>
    static abstract TSelf Broadcast(float value);

    /// <summary>The same byte in every byte.</summary>
    static abstract TSelf BroadcastByte(byte value);

    /// <summary>32 bits a lane; no alignment needed.</summary>
    static abstract TSelf Load(void* source);

    static abstract void Store(TSelf lanes, float* destination);

    /// <summary>One binary16 a lane, as float. Finite numbers only.</summary>
    static abstract TSelf LoadHalf(ushort* source);

    /// <summary>The same as <see cref="LoadHalf"/>, without its care for subnormal numbers: right for them, but slow on some processors.</summary>
    static abstract TSelf LoadScales(ushort* source);

    /// <summary>One bfloat16 a lane, as float.</summary>
    static abstract TSelf LoadBFloat16(ushort* source);

    /// <summary>One unsigned byte a lane, as integer.</summary>
    static abstract TSelf LoadBytes(byte* source);

    /// <summary>One signed byte a lane, as integer.</summary>
    static abstract TSelf LoadSBytes(sbyte* source);

    /// <summary>Two signed bytes a lane, as two 16-bit numbers.</summary>
    static abstract TSelf LoadSBytePairs(sbyte* source);

    static abstract TSelf And(TSelf a, TSelf b);

    static abstract TSelf Or(TSelf a, TSelf b);

    /// <summary>Each 16-bit half shifted by a constant: bits of one byte reach the other of its half, and are masked off by the caller.</summary>
    static abstract TSelf ShiftLeft16(TSelf a, [System.Diagnostics.CodeAnalysis.ConstantExpected] byte count);

    /// <inheritdoc cref="ShiftLeft16"/>
    static abstract TSelf ShiftRight16(TSelf a, [System.Diagnostics.CodeAnalysis.ConstantExpected] byte count);

    static abstract TSelf ShiftLeft32(TSelf a, [System.Diagnostics.CodeAnalysis.ConstantExpected] byte count);

    /// <summary>Adds the products of four bytes a lane to a sum that <see cref="EndBytes(TSelf)"/> turns into an integer.</summary>
    /// <param name="sum">What was summed so far; <see cref="Zero"/> at first.</param>
    /// <param name="weights">Bytes 0 to 127.</param>
    /// <param name="activations">Bytes −127 to 127.</param>
    /// <remarks>A sum may be two 16-bit numbers: the caller ends it before Σ 2 · |w| · |a| of its steps can pass 32,767.</remarks>
    static abstract TSelf AddBytes(TSelf sum, TSelf weights, TSelf activations);

    /// <summary>The integer that <see cref="AddBytes"/> summed.</summary>
    static abstract TSelf EndBytes(TSelf sum);

    /// <summary>The integer that <see cref="AddBytes"/> summed, times each row's scale.</summary>
    /// <param name="sum">The sum.</param>
    /// <param name="scales">What <see cref="PrepareScales"/> made of the scales.</param>
    static abstract TSelf EndBytes(TSelf sum, TSelf scales);

    /// <summary>Brings integers of 16 bits into the form that <see cref="EndBytes(TSelf, TSelf)"/> takes.</summary>
    static abstract TSelf PrepareScales(TSelf integers);

    /// <summary>Products of two pairs of 16-bit numbers a lane, summed to an integer.</summary>
    static abstract TSelf MultiplyPairs(TSelf a, TSelf b);

    static abstract TSelf AddIntegers(TSelf a, TSelf b);

    static abstract TSelf SubtractIntegers(TSelf a, TSelf b);

    /// <summary>Integer to float, to nearest even.</summary>
    static abstract TSelf ToFloat(TSelf integers);

    static abstract TSelf Multiply(TSelf a, TSelf b);

    /// <summary><c>a · b + c</c>, rounded once.</summary>
    static abstract TSelf FusedMultiplyAdd(TSelf a, TSelf b, TSelf c);
}
