import CLinux
import Glibc

/// The character device of a GPIO chip, opened: tells of its lines and gives them out.
///
/// Version 2 of the kernel's interface only; version 1 is on its way out of the kernel.
package struct GPIOChip: ~Copyable, Sendable {
    /// What a chip says of itself.
    package struct Info: Equatable, Sendable {
        /// `gpiochip0`; which chip gets which number may change with every kernel.
        package var name: String
        /// What its driver calls it, `pinctrl-bcm2711`: that stays.
        package var label: String
        package var lineCount: Int
    }

    /// What the kernel says of one line.
    package struct Line: Equatable, Sendable {
        /// As the board's maker called it; empty where it has no name.
        package var name: String
        /// Who holds it; empty where it is free or the holder gave no name.
        package var consumer: String
        package var flags: GPIOFlags
        package var debounce: Duration
    }

    package let path: String
    private let descriptor: OwnedDescriptor

    package init(opening path: String) throws(SystemError) {
        // First what can fail: Swift 6.2 trips over a half-made value that can't be copied.
        let descriptor = try OwnedDescriptor(opening: path, O_RDWR)
        self.path = path
        self.descriptor = descriptor
    }

    package func info() throws(SystemError) -> Info {
        var info = clinux_gpio_chip()
        guard clinux_gpio_chip(descriptor.rawValue, &info) == 0 else { throw .last("GPIO_GET_CHIPINFO", path) }
        return Info(name: text(info.name), label: text(info.label), lineCount: Int(info.lines))
    }

    package func line(_ offset: Int) throws(SystemError) -> Line {
        var info = clinux_gpio_line()
        guard clinux_gpio_line(descriptor.rawValue, UInt32(clamping: offset), &info) == 0 else {
            throw .last("GPIO_V2_GET_LINEINFO", path)
        }
        return Line(
            name: text(info.name), consumer: text(info.consumer), flags: GPIOFlags(rawValue: info.flags),
            debounce: .microseconds(Int(info.debounce_us)))
    }

    /// Takes lines, all or none, with all their settings and first levels at once.
    ///
    /// `eventBuffer` is how many edges the kernel keeps for who reads late; 0 leaves it to the kernel, which keeps
    /// 16 for each line.
    package func request(
        _ lines: [GPIOWanted], consumer: String, eventBuffer: Int = 0
    ) throws(SystemError) -> GPIORequest {
        let wanted = lines.map { line in
            clinux_gpio_wanted(
                offset: UInt32(clamping: line.offset), debounce_us: line.debounce.wholeMicroseconds,
                flags: line.flags.rawValue, is_active: line.isActive ? 1 : 0)
        }
        let raw = clinux_gpio_request(
            descriptor.rawValue, consumer, wanted, CInt(clamping: wanted.count), UInt32(clamping: eventBuffer))
        guard raw >= 0 else { throw .last("GPIO_V2_GET_LINE", path) }
        return GPIORequest(OwnedDescriptor(taking: raw), offsets: lines.map(\.offset))
    }

    /// The paths of all chips of this machine.
    package static func paths(in folder: String = "/dev") -> [String] {
        let names = (try? File.names(in: folder)) ?? []
        return names.filter { $0.hasPrefix("gpiochip") }.map { "\(folder)/\($0)" }
    }
}

/// One line that is asked for.
package struct GPIOWanted: Equatable, Sendable {
    package var offset: Int
    package var flags: GPIOFlags
    /// For inputs: how long a level must stay before the kernel tells of it.
    package var debounce: Duration = .zero
    /// For outputs: the first level.
    package var isActive = false

    package init(offset: Int, flags: GPIOFlags) {
        self.offset = offset
        self.flags = flags
    }
}

/// What a line is and does: the kernel's `enum gpio_v2_line_flag`, whose bits are part of its interface.
package struct GPIOFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Held by somebody: a program or a driver of the kernel.
    package static let used = GPIOFlags(rawValue: 1 << 0)
    package static let activeLow = GPIOFlags(rawValue: 1 << 1)
    package static let input = GPIOFlags(rawValue: 1 << 2)
    package static let output = GPIOFlags(rawValue: 1 << 3)
    package static let risingEdges = GPIOFlags(rawValue: 1 << 4)
    package static let fallingEdges = GPIOFlags(rawValue: 1 << 5)
    package static let openDrain = GPIOFlags(rawValue: 1 << 6)
    package static let openSource = GPIOFlags(rawValue: 1 << 7)
    package static let pullUp = GPIOFlags(rawValue: 1 << 8)
    package static let pullDown = GPIOFlags(rawValue: 1 << 9)
    package static let noBias = GPIOFlags(rawValue: 1 << 10)
    /// Edges with the time of day instead of the monotonic clock's.
    package static let realtimeClock = GPIOFlags(rawValue: 1 << 11)
}

extension Duration {
    fileprivate var wholeMicroseconds: UInt32 {
        UInt32(clamping: components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000)
    }
}

/// The text in one of the kernel's fields of 32 bytes, which ends with a zero.
private func text<Field>(_ field: Field) -> String {
    withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
