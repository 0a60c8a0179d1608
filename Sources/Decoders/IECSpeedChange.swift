/// Agrees with a meter on the speed of its readout, after IEC 62056-21, modes B and C.
///
/// Asked at 300 baud, a meter answers with its identification `/AAAz…` and waits. In mode C `z` is the fastest speed that it
/// has, and `ACK 0 z 0` takes it; in mode B it is the speed that the meter goes over to by itself; a meter in mode A has no
/// such sign and goes on. A speed that brought no readout is not asked for again: the next slower one is, until the
/// meter is left at the speed at which it was asked. [IEC 62056-21, 6.3.2, 6.3.3, 6.4.3]
package struct IECSpeedChange: Sendable {
    /// What to do now: send these bytes, none in mode B, and listen at another speed once they are on the line.
    package struct Step: Equatable, Sendable {
        package var send: [UInt8]
        package var baud: Int

        package init(send: [UInt8], baud: Int) {
            self.send = send
            self.baud = baud
        }
    }

    /// By the sign that stands for them, 0 to 6 in mode C, A to F in mode B from the second on.
    private static let speeds = [300, 600, 1_200, 2_400, 4_800, 9_600, 19_200]
    private static let longestLine = 64

    private var line: [UInt8] = []
    private var isListening = false
    /// The number of the fastest speed that is still tried; -1 for none.
    private var fastest = speeds.count - 1
    /// The number of the speed that a readout is awaited at.
    private var agreed: Int?

    package init() {}

    /// A meter is asked, at the slow speed; returns the speed in bits a second that failed it the last time, if one did.
    package mutating func asked() -> Int? {
        defer { (line, isListening, agreed) = ([], true, nil) }
        guard let agreed else { return nil }
        fastest = agreed - 1
        return Self.speeds[agreed]
    }

    /// Takes what came at the slow speed.
    ///
    /// A meter that goes on behind its identification waits for nothing, and is left alone.
    package mutating func received(_ bytes: Span<UInt8>) -> Step? {
        guard isListening else { return nil }
        for index in bytes.indices {
            let byte = bytes[index] & 0x7F
            if byte == UInt8(ascii: "/") { line = [] }
            line.append(byte)
            guard byte == 0x0A else {
                if line.count > Self.longestLine { line = [] }
                continue
            }
            defer { line = [] }
            guard let sign = Self.sign(line) else { continue }
            isListening = false
            return index == bytes.count - 1 ? step(sign) : nil
        }
        return nil
    }

    /// A whole readout came.
    package mutating func answered() {
        agreed = nil
        isListening = false
    }

    private mutating func step(_ sign: UInt8) -> Step? {
        switch sign {
        case UInt8(ascii: "0")...UInt8(ascii: "6"):
            let number = min(Int(sign - UInt8(ascii: "0")), fastest)
            guard number >= 0 else { return nil }
            agreed = number
            return Step(send: Self.acknowledgement(number), baud: Self.speeds[number])
        case UInt8(ascii: "A")...UInt8(ascii: "F"):
            return Step(send: [], baud: Self.speeds[Int(sign - UInt8(ascii: "A")) + 1])
        default: return nil
        }
    }

    /// ACK, normal procedure, speed, data readout, and the end of the line. [IEC 62056-21, 6.3.3]
    package static func acknowledgement(_ number: Int) -> [UInt8] {
        [0x06, 0x30, 0x30 + UInt8(number), 0x30, 0x0D, 0x0A]
    }

    /// The fourth character of an identification: three letters of the maker stand before it.
    private static func sign(_ line: [UInt8]) -> UInt8? {
        guard line.count > 6, line[0] == UInt8(ascii: "/"),
            line[1...3].allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) })
        else { return nil }
        return line[4]
    }
}

/// Seven data bits and an even parity bit, on a line that carries eight bits.
package enum EvenParity {
    /// The byte with its parity bit set so that the number of ones is even.
    package static func adding(to byte: UInt8) -> UInt8 {
        (byte & 0x7F).nonzeroBitCount.isMultiple(of: 2) ? byte & 0x7F : byte | 0x80
    }

    /// The seven bits; nil where the number of ones is odd.
    package static func removing(from byte: UInt8) -> UInt8? {
        byte.nonzeroBitCount.isMultiple(of: 2) ? byte & 0x7F : nil
    }
}
