import Testing

@testable import martlet

@Suite struct ProcessEnvironmentTests {
    @Test func `variables are split at the first equals sign`() {
        let environment = ProcessEnvironment(Array("PATH=/bin\0OPTIONS=a=b\0EMPTY=\0broken\0".utf8))
        #expect(environment["PATH"] == "/bin")
        #expect(environment["OPTIONS"] == "a=b")
        #expect(environment["EMPTY"] == "")
        #expect(environment["broken"] == nil)
    }

    @Test func `the journal is known by its variable`() {
        #expect(ProcessEnvironment(Array("JOURNAL_STREAM=8:123\0".utf8)).isUnderSystemd)
        #expect(!ProcessEnvironment(Array("PATH=/bin\0".utf8)).isUnderSystemd)
    }
}
