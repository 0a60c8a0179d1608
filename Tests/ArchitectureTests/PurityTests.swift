import Testing

@Suite struct PurityTests {
    private static let pureFiles = SourceTree.sources.filter { Floor.pure.contains($0.target) }

    @Test(arguments: pureFiles)
    func `a pure target never asks for the time`(file: SourceFile) {
        // A clock that was handed in, as the broker's `host.wallClock`, is the caller's.
        #expect(file.lines(matching: /Clock\.now\b|\b[A-Z]\w*Clock\(\)|[^\w.]\.now\b|\bSuspendingClock\b/).isEmpty)
    }

    @Test(arguments: pureFiles)
    func `a pure target never asks for randomness`(file: SourceFile) {
        let pattern = /\bSystemRandomNumberGenerator\b|\brandom\(|\brandomElement\(|\bshuffled?\(/
        #expect(file.lines(matching: pattern).isEmpty)
    }

    @Test(arguments: pureFiles)
    func `a pure target neither waits, nor starts tasks, nor prints`(file: SourceFile) {
        #expect(file.lines(matching: /\basync\b|\bawait\b|\bTask\b|\bMutex\b|\bprint\(|\breadLine\(/).isEmpty)
    }

    @Test func `the line under which there is no IO runs where CONTRIBUTING says`() {
        #expect(Floor.pure.isSubset(of: SourceTree.targets))
    }
}
