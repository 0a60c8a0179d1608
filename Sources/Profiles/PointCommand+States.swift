import Modbus
package import Readings

/// How the words of a command and the states of its point belong together.
extension ProfilePoint {
    /// What must be read back after a command; nil for a word that is no state, like TOGGLE.
    package func state(after word: String) -> Value? {
        if map.contains(where: { $0.name == word }) { return .text(word) }
        guard map.isEmpty, let command, let raw = command.values.first(where: { $0.word == word })?.raw else {
            return nil
        }
        switch (command.function, raw) {
        case (.writeSingleCoil, 0xFF00): return .boolean(true)
        case (.writeSingleCoil, 0): return .boolean(false)
        case (.writeSingleCoil, _): return nil
        case (.writeSingleRegister, _):
            guard case .register(let source) = source, source.point.type.registerCount == 1 else { return nil }
            return source.point.type.decode([raw], order: source.point.order, bit: source.point.bit)
                .flatMap { value(of: $0) }
        }
    }

    /// The words that turn it over: coils know one.
    package var toggles: Set<String> {
        guard let command, command.function == .writeSingleCoil else { return [] }
        return Set(command.values.filter { $0.raw == 0x5500 }.map(\.word))
    }

    /// The word for off: `OFF`, or else the one that writes 0.
    package var off: String? {
        guard let values = command?.values else { return nil }
        return (values.first { $0.word.uppercased() == "OFF" } ?? values.first { $0.raw == 0 })?.word
    }
}
