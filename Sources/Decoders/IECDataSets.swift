import Readings

/// The data sets of a message after IEC 62056-21: `1.8.0(00123.456*kWh)`, one or more in a line.
struct IECDataSets {
    private(set) var entries: [TelegramEntry] = []
    /// Lines that are no data sets.
    private(set) var unreadable = 0

    init(_ data: ArraySlice<UInt8>) {
        for line in data.split(separator: 0x0A) {
            let content = line.last == 0x0D ? line.dropLast() : line
            guard !content.isEmpty else { continue }
            guard let sets = Self.sets(in: content) else {
                unreadable += 1
                continue
            }
            entries += sets
        }
    }

    private static func sets(in line: ArraySlice<UInt8>) -> [TelegramEntry]? {
        var entries: [TelegramEntry] = []
        var rest = line
        while let open = rest.firstIndex(of: UInt8(ascii: "(")), open > rest.startIndex {
            let address = rest[..<open]
            var first: ArraySlice<UInt8>?
            rest = rest[open...]
            // What follows the value is the time of a maximum.
            while rest.first == UInt8(ascii: "(") {
                guard let close = rest.firstIndex(of: UInt8(ascii: ")")) else { return nil }
                let group = rest[(rest.startIndex + 1)..<close]
                guard !group.contains(UInt8(ascii: "(")) else { return nil }
                first = first ?? group
                rest = rest[(close + 1)...]
            }
            guard isAddress(address) else { return nil }
            if let first, let code = code(address) { entries.append(entry(code, first)) }
        }
        return rest.isEmpty ? entries : nil
    }

    private static func isAddress(_ address: ArraySlice<UInt8>) -> Bool {
        address.count <= 32
            && address.allSatisfy { byte in
                Digits.value(byte) != nil || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & ~0x20)
                    || [0x2A, 0x26, 0x2D, 0x2E, 0x3A].contains(byte)
            }
    }

    /// `1-0:1.8.0` or `1.8.0`, which is electricity; nil for others (`F.F`) and for values of the past (`1.8.0*04`).
    private static func code(_ address: ArraySlice<UInt8>) -> OBISCode? {
        let parts = address.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
        guard let name = parts.first, parts.count == 1 || parts.count == 2 && parts[1].elementsEqual("255".utf8) else {
            return nil
        }
        if let code = OBISCode(utf8: name) { return code }
        let isShort = !name.contains(UInt8(ascii: ":"))
        guard isShort else { return nil }
        let points = name.count { $0 == UInt8(ascii: ".") }
        // `1.8` is the total, as is `1.8.0`.
        return OBISCode(utf8: Array("1-0:".utf8) + Array(name) + (points == 1 ? Array(".0".utf8) : []))
    }

    private static func entry(_ code: OBISCode, _ group: ArraySlice<UInt8>) -> TelegramEntry {
        let star = group.firstIndex(of: UInt8(ascii: "*"))
        let number = group[..<(star ?? group.endIndex)]
        let unit = star.map { String(decoding: group[($0 + 1)...], as: UTF8.self) }
        let text = String(decoding: number, as: UTF8.self)
        var entry = TelegramEntry(code: code, text: text, value: nil, unit: unit?.isEmpty == true ? nil : unit)
        if code.isMeasured {
            // Dashes and stars where there is no value are no value.
            entry.value = Digits.isDecimal(number) ? Double(text).flatMap { .measured($0) } : nil
        } else if !number.isEmpty {
            entry.value = .text(text)
        }
        return entry
    }
}

extension OBISCode {
    /// Energy, power, voltage and the like; others are numbers of meters, dates and states.
    fileprivate var isMeasured: Bool { medium == 1 && (1...91).contains(quantity) }
}
