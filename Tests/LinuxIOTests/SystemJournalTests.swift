import Foundation
import Glibc
import Testing

@testable import LinuxIO

@Suite struct SystemJournalTests {
    @Test func `an entry has a line for each field`() {
        let text = SystemJournal.text([("MESSAGE", "listens"), ("PRIORITY", "6")])
        #expect(text == "MESSAGE=listens\nPRIORITY=6\n")
    }

    @Test func `a value can't begin another field`() {
        #expect(SystemJournal.text([("MESSAGE", "a\nPRIORITY=0\r\nb")]) == "MESSAGE=a PRIORITY=0 b\n")
    }

    @Test func `an output that does not go to the journal is left alone`() {
        #expect(SystemJournal(stream: nil) == nil)
        #expect(SystemJournal(stream: "0:0") == nil)
        #expect(SystemJournal(stream: "") == nil)
    }

    @Test func `an output that goes to the journal is known by its device and number`() {
        var status = stat()
        #expect(fstat(STDERR_FILENO, &status) == 0)
        #expect(SystemJournal(stream: "\(status.st_dev):\(status.st_ino)") != nil)
    }

    @Test func `an entry arrives whole, and a journal that is gone is noticed`() throws {
        let path = "\(NSTemporaryDirectory())/journal-\(UUID().uuidString)"
        let receiver = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(receiver) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(receiver, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        let journal = SystemJournal(address: path)
        #expect(journal.write([("MESSAGE", "grün"), ("MARTLET_SUBSYSTEM", "broker")]))
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(receiver, &buffer, buffer.count, 0)
        #expect(String(decoding: buffer[..<max(0, count)], as: UTF8.self) == "MESSAGE=grün\nMARTLET_SUBSYSTEM=broker\n")
        unlink(path)
        #expect(!journal.write([("MESSAGE", "nobody hears this")]))
    }
}
