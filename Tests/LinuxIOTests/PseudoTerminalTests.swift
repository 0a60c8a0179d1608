import Testing

@testable import LinuxIO

@Suite struct PseudoTerminalTests {
    @Test func `bytes cross unchanged, both ways, without an echo`() throws {
        let pty = try PseudoTerminal()
        let port = try TTY.open(pty.path)
        let all = Array(UInt8.min...UInt8.max)
        var buffer = [UInt8](repeating: 0, count: 1024)
        #expect(pty.send(all.span) == .sent(256))
        #expect(try TTY.read(port.rawValue, into: &buffer) == 256)
        #expect(Array(buffer.prefix(256)) == all)
        #expect(pty.receive(into: &buffer) == .wouldBlock)
        #expect(try TTY.write(port.rawValue, all.span) == 256)
        #expect(pty.receive(into: &buffer) == .bytes(256))
        #expect(Array(buffer.prefix(256)) == all)
    }

    @Test func `nobody at the other end is no hang-up`() throws {
        let pty = try PseudoTerminal()
        try TTY.open(pty.path).close()
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(pty.receive(into: &buffer) == .wouldBlock)
    }

    @Test func `a wished-for path is a link that goes with the terminal`() throws {
        let folder = try TestFolder()
        let link = "\(folder.path)/meter"
        do {
            let old = try PseudoTerminal(link: link)
            let new = try PseudoTerminal(link: link)
            #expect(new.path == link)
            #expect(File.resolved(link)?.hasPrefix("/dev/pts/") == true)
            #expect(old.path == link)
        }
        #expect(File.linkTarget(link) == nil)
        try folder.write("precious", to: "file")
        let error = #expect(throws: SystemError.self) { _ = try PseudoTerminal(link: "\(folder.path)/file") }
        #expect(error?.call == "symlink")
    }

    @Test func `an idle line is told from one whose device is gone`() throws {
        let pty = try PseudoTerminal()
        let port = try TTY.open(pty.path)
        var buffer = [UInt8](repeating: 0, count: 8)
        let idle = #expect(throws: SystemError.self) { try TTY.read(port.rawValue, into: &buffer) }
        #expect(idle?.kind == .tryAgain)
        _ = consume pty
        let gone = Result { try TTY.read(port.rawValue, into: &buffer) }
        switch gone {
        case .success(let count): #expect(count == 0)
        case .failure(let error): #expect((error as? SystemError)?.kind == .deviceGone)
        }
    }
}
