import Readings

/// Reads the lines between `/` and `!`.
struct TelegramLines {
    private(set) var identification = ""
    private(set) var entries: [TelegramEntry] = []
    private(set) var unreadable = 0
    /// Three letters of the maker and a digit, then an empty line [IEC 62056-21, 6.3.2].
    private(set) var hasOrderlyHeader = false
    /// The gas line of versions 2.2 and 3, whose value is on the line after it.
    private var awaitingValue: TelegramEntry?

    /// `body` begins after the `/`.
    init(_ body: ArraySlice<UInt8>) {
        let lines = body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
        guard let header = lines.first else { return }
        identification = String(decoding: header, as: UTF8.self)
        hasOrderlyHeader = Self.isOrderly(header) && lines.dropFirst().first?.isEmpty == true
        for line in lines.dropFirst() where !line.isEmpty {
            read(line)
        }
        if awaitingValue != nil { unreadable += 1 }
    }

    private static func isOrderly(_ header: ArraySlice<UInt8>) -> Bool {
        let letters = header.prefix(3).allSatisfy { character in
            let folded = character | 0x20
            return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(folded)
        }
        return letters && header.dropFirst(3).first.map { Digits.value($0) != nil } == true
    }

    private mutating func read(_ line: ArraySlice<UInt8>) {
        guard let bracket = line.firstIndex(of: UInt8(ascii: "(")), let groups = Self.groups(line[bracket...]) else {
            unreadable += 1
            return
        }
        if bracket == line.startIndex {
            readContinuation(groups)
        } else if let code = OBISCode(utf8: line[..<bracket]) {
            read(code, groups)
        } else {
            unreadable += 1
        }
    }

    private mutating func read(_ code: OBISCode, _ groups: [ArraySlice<UInt8>]) {
        if awaitingValue != nil { unreadable += 1 }
        awaitingValue = nil
        if let announced = Self.announcement(code, groups) {
            awaitingValue = announced
        } else {
            entries.append(TelegramEntry(code, groups))
        }
    }

    private mutating func readContinuation(_ groups: [ArraySlice<UInt8>]) {
        guard var entry = awaitingValue, groups.count == 1, let group = groups.first, Digits.isDecimal(group) else {
            unreadable += 1
            return
        }
        awaitingValue = nil
        entry.setValue(group)
        entries.append(entry)
    }

    /// `0-1:24.3.0(161107190000)(00)(60)(1)(0-1:24.2.1)(m3)`: time, status, period, count, the code that the value on the
    /// next line has, and its unit.
    ///
    /// The entry gets that code, so that gas has the same name in every version.
    private static func announcement(_ code: OBISCode, _ groups: [ArraySlice<UInt8>]) -> TelegramEntry? {
        guard code.quantity == 24, code.processing == 3, groups.count == 6 else { return nil }
        guard let named = OBISCode(utf8: groups[4]) else { return nil }
        return TelegramEntry(
            code: named, text: "", value: nil, unit: String(decoding: groups[5], as: UTF8.self),
            time: MeterTime(groups[0]))
    }

    /// What is inside each pair of brackets; nil if anything is outside.
    private static func groups(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
        var groups: [ArraySlice<UInt8>] = []
        var rest = text
        while rest.first == UInt8(ascii: "(") {
            guard let close = rest.firstIndex(of: UInt8(ascii: ")")) else { return nil }
            let group = rest[(rest.startIndex + 1)..<close]
            guard !group.contains(UInt8(ascii: "(")) else { return nil }
            groups.append(group)
            rest = rest[(close + 1)...]
        }
        return rest.isEmpty && !groups.isEmpty ? groups : nil
    }
}

extension TelegramEntry {
    /// One line: `(value)`, `(value*unit)`, `(time)`, `(time)(value*unit)`, or a list, of which the first group counts.
    fileprivate init(_ code: OBISCode, _ groups: [ArraySlice<UInt8>]) {
        self.init(code: code, text: "", value: nil)
        var groups = groups[...]
        if let first = groups.first, MeterTime.looksLikeTime(first), code == .clock || groups.count == 2 {
            time = MeterTime(first)
            groups = groups.dropFirst()
        }
        guard let group = groups.first else { return }
        if let star = group.firstIndex(of: UInt8(ascii: "*")) {
            if star + 1 < group.endIndex { unit = String(decoding: group[(star + 1)...], as: UTF8.self) }
            setValue(group[..<star])
        } else {
            setValue(group)
        }
    }

    fileprivate mutating func setValue(_ group: ArraySlice<UInt8>) {
        text = String(decoding: group, as: UTF8.self)
        guard !group.isEmpty else { return }
        if unit != nil, Digits.isDecimal(group), let number = Double(text) {
            value = .measured(number)
        } else if !code.isIdentifier, group.count <= 9, let number = Digits.integer(group) {
            value = .integer(number)
        } else {
            value = .text(text)
        }
    }
}

extension OBISCode {
    /// Serial numbers and messages: digits that are no number.
    fileprivate var isIdentifier: Bool { quantity == 96 && (processing == 1 || processing == 13) }
}
