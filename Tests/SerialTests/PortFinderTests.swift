import Foundation
import LinuxIO
import Testing

@testable import Serial

@Suite struct PortFinderTests {
    @Test func `pseudo-terminals and consoles are no ports, and paths are in order`() {
        let paths = PortFinder.ports().map(\.path)
        #expect(paths == paths.sorted())
        #expect(paths.allSatisfy { $0.hasPrefix("/dev/tty") && !$0.hasPrefix("/dev/tty0") })
    }

    @Test func `who holds a port is told by /proc`() throws {
        let pty = try PseudoTerminal()
        #expect(PortHolder.find(pty.path) == nil)
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/bin/sh")
        holder.arguments = ["-c", "exec 3<>\"$0\"; echo ready; read line", pty.path]
        let (input, output) = (Pipe(), Pipe())
        (holder.standardInput, holder.standardOutput) = (input, output)
        try holder.run()
        defer {
            // It reads a line, and ends with its input.
            try? input.fileHandleForWriting.close()
            holder.waitUntilExit()
        }
        _ = try output.fileHandleForReading.read(upToCount: 6)
        let found = try #require(PortHolder.find(pty.path))
        #expect(found.process == Int(holder.processIdentifier))
        #expect(["sh", "dash"].contains(found.name))
    }
}
