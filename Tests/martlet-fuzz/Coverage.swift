#if LIBFUZZER
    import Fuzzing

    /// What libFuzzer calls: the first byte chooses who reads the rest.
    ///
    /// `make fuzz-coverage` builds and starts it.
    @_cdecl("LLVMFuzzerTestOneInput")
    public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
        let bytes = Array(UnsafeBufferPointer(start: data, count: size))
        do throws(Finding) {
            try CoverageInput.take(bytes)
        } catch {
            fatalError(error.description)
        }
        return 0
    }

    /// The package manager names the program's beginning after its target; libFuzzer's own waits behind this.
    @_cdecl("martlet_fuzz_main")
    public func begin(
        _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> CInt {
        var count = count
        var arguments = arguments
        return runDriver(&count, &arguments, testOneInput)
    }

    @_silgen_name("LLVMFuzzerRunDriver")
    private func runDriver(
        _ count: UnsafeMutablePointer<CInt>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
        _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) -> CInt
#endif
