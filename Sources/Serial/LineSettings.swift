package import LinuxIO

/// How a serial line is set.
package struct LineSettings: Equatable, Sendable {
    package typealias Parity = TTY.Parity
    package typealias Flow = TTY.Flow

    /// What an RS-485 line asks of the driver.
    package enum RS485: Equatable, Sendable {
        /// Whatever the driver does by itself: USB adapters switch the direction in hardware.
        case automatic
        case off
        /// The driver must switch the direction with RTS; opening fails where it can't.
        case required(rtsOnSend: Bool, delayBefore: Duration, delayAfter: Duration)
    }

    /// What happens to the DTR line; closing never drops it, for an Arduino starts anew when it falls.
    package enum DTR: Equatable, Sendable {
        /// The driver raises it with the first opening, and it stays.
        case keep
        case on
        case off
    }

    package var baud: Int
    /// 5 to 8.
    package var dataBits = 8
    package var parity = Parity.none
    /// 1 or 2.
    package var stopBits = 1
    package var flow = Flow.none
    package var rs485 = RS485.automatic
    package var dtr = DTR.keep

    package init(baud: Int = 9600) {
        self.baud = baud
    }

    /// How many bits one byte takes on the line, start and stop bits included.
    package var bitsPerByte: Int { 1 + dataBits + (parity == .none ? 0 : 1) + stopBits }

    /// How long one byte takes on the line.
    package var byteTime: Duration {
        .nanoseconds(1_000_000_000 * Int64(bitsPerByte) / Int64(max(1, baud)))
    }
}

extension LineSettings: CustomStringConvertible {
    /// As people write it: "9600 baud 8N1".
    package var description: String { "\(baud) baud \(format)" }

    /// Data bits, parity and stop bits: "8N1".
    package var format: String {
        let letter =
            switch parity {
            case .none: "N"
            case .even: "E"
            case .odd: "O"
            }
        return "\(dataBits)\(letter)\(stopBits)"
    }
}
