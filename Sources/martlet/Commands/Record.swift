import ArgumentParser
import LinuxIO
import Profiles
import Serial

/// `martlet record`: what is heard on a line, as a text to keep.
struct Record: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Record what is heard on a serial line, with times.",
        discussion: """
            On an RS-485 bus a second adapter hears both sides. For RS-232, where each direction has a wire of its own, \
            the other one is --other. The gateway must not have the port open meanwhile. Ctrl-C ends it.

              martlet record /dev/ttyUSB1 --baudrate 19200 > capture.txt
              martlet replay capture.txt --profile eastron-sdm630
            """)

    @Argument(help: ArgumentHelp("The serial port.", valueName: "PORT"))
    var port: String

    @Option(help: ArgumentHelp("The port that hears the other direction.", valueName: "PORT"))
    var other: String?

    @Option(help: "Bits a second.")
    var baudrate = 9_600

    @Option(help: "Data bits, parity and stop bits.")
    var format = "8N1"

    @Option(help: ArgumentHelp("End by itself after so long.", valueName: "SECONDS"))
    var seconds: Int?

    func run() throws {
        guard let format = LineFormat(format) else {
            throw CommandFailure("--format is data bits, parity and stop bits, like 8N1 or 8E1", status: .usage)
        }
        let line = LineSettings(baud: baudrate, format)
        let ears = try [port, other].compactMap(\.self).map { try Ear(port: SerialPort(opening: .device($0), line)) }
        StandardOutput.write(LineRecording.head("\(port), \(line)", ISOTime.text(WallClock.local(WallClock.now))))
        try listen(ears)
    }

    private func listen(_ ears: [Ear]) throws {
        let signals = try SignalFD([.interrupt, .terminate])
        var poller = try Poller()
        for (number, ear) in ears.enumerated() {
            try poller.add(ear.descriptor, token: UInt64(number), reading: true, writing: false)
        }
        try poller.add(signals.descriptor, token: UInt64(ears.count), reading: true, writing: false)
        let began = ContinuousClock.now
        let end = seconds.map { began + .seconds($0) }
        var ready: [PollEvent] = []
        while end.map({ ContinuousClock.now < $0 }) ?? true {
            try poller.wait(until: end, into: &ready)
            for event in ready {
                guard event.token < UInt64(ears.count) else { return }
                let number = Int(event.token)
                guard let bytes = try ears[number].hear() else { continue }
                let piece = LineRecording.Piece(at: ContinuousClock.now - began, isOther: number > 0, bytes: bytes)
                guard StandardOutput.write(piece.text) else { return }
            }
        }
    }
}

/// A port that can be in an array.
private final class Ear {
    private let port: SerialPort
    private var buffer = [UInt8](repeating: 0, count: 4_096)

    init(port: consuming SerialPort) {
        self.port = port
    }

    var descriptor: CInt { port.descriptor }

    /// What came; nil for nothing.
    func hear() throws(CommandFailure) -> [UInt8]? {
        switch port.receive(into: &buffer) {
        case .bytes(let count): return Array(buffer[..<count])
        case .wouldBlock: return nil
        case .lost(let error): throw CommandFailure("\(error)")
        }
    }
}
