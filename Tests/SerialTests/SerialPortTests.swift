import LinuxIO
import Testing

@testable import Serial

@Suite struct SerialPortTests {
    private func line(_ baud: Int) -> LineSettings { LineSettings(baud: baud) }

    /// What opening a path says when it fails.
    private func failure(_ path: String, _ line: LineSettings = LineSettings()) -> SerialError? {
        do throws(SerialError) {
            _ = try SerialPort(opening: .device(path), line)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [300, 9600, 76_800, 115_200, 250_000, 4_000_000])
    func `any speed is set and reads back`(baud: Int) throws {
        let pty = try PseudoTerminal()
        let port = try SerialPort(opening: .device(pty.path), line(baud))
        let taken = try port.settings()
        #expect(taken.baud == UInt32(baud))
        #expect(pty.baud == baud)
        #expect(taken.dataBits == 8)
        #expect(taken.flow == .none)
        #expect(!taken.dropsDTR)
    }

    @Test func `stop bits and flow control read back, and closing keeps DTR`() throws {
        let pty = try PseudoTerminal()
        var settings = line(2400)
        (settings.stopBits, settings.flow, settings.dtr) = (2, .xonxoff, .off)
        let port = try SerialPort(opening: .device(pty.path), settings)
        let taken = try port.settings()
        #expect(taken.stopBits == 2)
        #expect(taken.flow == .xonxoff)
        #expect(!taken.dropsDTR)
    }

    @Test func `every byte passes in both directions`() throws {
        let pty = try PseudoTerminal()
        let port = try SerialPort(opening: .device(pty.path), line(9600))
        let all = Array(UInt8.min...UInt8.max)
        var buffer = [UInt8](repeating: 0, count: 1024)
        #expect(port.receive(into: &buffer) == .wouldBlock)
        #expect(pty.send(all.span) == .sent(256))
        #expect(port.receive(into: &buffer) == .bytes(256))
        #expect(Array(buffer.prefix(256)) == all)
        #expect(port.send(all.span) == .sent(256))
        #expect(pty.receive(into: &buffer) == .bytes(256))
        #expect(Array(buffer.prefix(256)) == all)
    }

    @Test func `what came before the opening is thrown away, and what is discarded too`() throws {
        let pty = try PseudoTerminal()
        _ = pty.send([1, 2, 3].span)
        let port = try SerialPort(opening: .device(pty.path), line(9600))
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(port.receive(into: &buffer) == .wouldBlock)
        _ = pty.send([4, 5].span)
        try port.discardInput()
        #expect(port.receive(into: &buffer) == .wouldBlock)
    }

    @Test func `a second opening is refused, and allowed after the first has closed`() throws {
        let pty = try PseudoTerminal()
        do {
            let port = try SerialPort(opening: .device(pty.path), line(9600))
            let error = try #require(failure(pty.path))
            #expect(error.description.hasPrefix("\(port.path) is in use by another program; stop it"))
            #expect(!error.isMissing)
        }
        #expect(failure(pty.path) == nil)
    }

    @Test func `a device that goes away is lost, not silent`() throws {
        let pty = try PseudoTerminal()
        let port = try SerialPort(opening: .device(pty.path), line(9600))
        var poller = try Poller()
        var ready: [PollEvent] = []
        try poller.add(port.descriptor, token: 0, reading: true, writing: false)
        _ = consume pty
        try poller.wait(until: nil, into: &ready)
        #expect(ready.map(\.isHangUp) == [true])
        var buffer = [UInt8](repeating: 0, count: 8)
        let lost = SerialError(port: port.path, reason: .lost)
        #expect(port.receive(into: &buffer) == .lost(lost))
        #expect(port.send([1].span) == .lost(lost))
        #expect(lost.isMissing)
        #expect(lost.description == "\(port.path) has gone: unplugged, or its driver failed")
    }

    @Test func `a link is followed to its node`() throws {
        let link = "/tmp/martlet-serial-\(Entropy.seed())"
        let pty = try PseudoTerminal(link: link)
        let port = try SerialPort(opening: .device(pty.path), line(9600))
        #expect(port.path.hasPrefix("/dev/pts/"))
    }

    @Test func `a path without a port says so`() throws {
        let error = try #require(failure("/dev/ttyUSB99"))
        #expect(error == SerialError(port: "/dev/ttyUSB99", reason: .missing))
        #expect(error.isMissing)
        #expect(
            error.description
                == "no port at /dev/ttyUSB99: is the device plugged in? `martlet ports` lists what is there")
    }

    @Test(arguments: ["/dev/null", "/etc/hostname"])
    func `what is no serial port is refused`(path: String) throws {
        #expect(failure(path)?.description == "\(path) is not a serial port")
    }

    @Test func `RS-485 is refused only if it was demanded`() throws {
        let pty = try PseudoTerminal()
        var settings = line(9600)
        settings.rs485 = .off
        #expect(failure(pty.path, settings) == nil)
        settings.rs485 = .required(rtsOnSend: true, delayBefore: .milliseconds(1), delayAfter: .zero)
        let error = try #require(failure(pty.path, settings))
        #expect(error.reason == .noRS485)
        #expect(error.description.contains("set `rs485: auto`"))
    }

    @Test(arguments: [0, -1, Int(UInt32.max) + 1])
    func `a speed that is none is refused`(baud: Int) throws {
        let pty = try PseudoTerminal()
        #expect(failure(pty.path, line(baud))?.reason == .baudRefused(asked: baud, got: 0))
    }

    @Test func `a port opens on a thread of its own for the loop`() async throws {
        let pty = try PseudoTerminal()
        let path = pty.path
        let loop = try EventLoop(name: "test-loop")
        let opened = try await loop.blocking("open") { () throws(SerialError) in
            try SerialPort(opening: .device(path), LineSettings(baud: 9600))
        }
        #expect(opened.descriptor >= 0)
        loop.stop()
    }
}
