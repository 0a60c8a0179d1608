import Bytes
import Readings

/// What the messages of an SML file say of the meter. [BSI TR-03109-1, Smart Message Language, sections 5 and 6]
enum SMLFile {
    /// The tag of a SML_GetList.Res body.
    private static let list: Int64 = 0x0701
    /// Before 2020 no meter's clock is right.
    private static let earliest: Int64 = 1_577_836_800

    /// The values of all lists in the file; nil if a message makes no sense or there is no list.
    static func telegram(
        _ content: ArraySlice<UInt8>, startedAt: ContinuousClock.Instant?, length: Int
    ) -> Telegram? {
        guard let startedAt else { return nil }
        var reader = SMLReader(content)
        var telegram: Telegram?
        reader.skipZeros()
        while !reader.isAtEnd {
            // Transaction, group, what to do on errors, body, checksum, end.
            guard let message = reader.next()?.list, message.count == 6, message[5] == .endOfMessage,
                let body = message[3].list, body.count == 2, let tag = body[0].number
            else { return nil }
            if tag == list {
                guard let read = read(body[1], startedAt, length) else { return nil }
                telegram = telegram.map { joined($0, read) } ?? read
            }
            reader.skipZeros()
        }
        return telegram
    }

    private static func joined(_ first: Telegram, _ second: Telegram) -> Telegram {
        var joined = first
        joined.entries += second.entries
        joined.unreadableLines += second.unreadableLines
        return joined
    }

    /// Client, server, name of the list, time, values, signature, time of the gateway.
    private static func read(_ body: SMLElement, _ startedAt: ContinuousClock.Instant, _ length: Int) -> Telegram? {
        guard let parts = body.list, parts.count == 7, let values = parts[4].list else { return nil }
        let server = SMLServer(parts[1].octets ?? [])
        let entries = values.map { entry($0, server) }
        var telegram = Telegram(
            identification: server.name, entries: entries.compactMap(\.self), checksum: .matched, startedAt: startedAt,
            lengthInBytes: length, unreadableLines: entries.count { $0 == nil })
        telegram.time = time(parts[3])
        return telegram
    }

    /// Name, status, time, unit, scaler, value, signature.
    private static func entry(_ element: SMLElement, _ server: SMLServer) -> TelegramEntry? {
        guard let parts = element.list, parts.count == 7, let name = parts[0].octets, name.count == 6 else {
            return nil
        }
        let code = OBISCode(name[0], name[1], name[2], name[3], name[4])
        let unit = parts[3].number.flatMap { SMLUnit.names[$0] }
        var entry = TelegramEntry(code: code, text: "", value: nil, unit: unit, time: time(parts[2]))
        switch parts[5] {
        case .integer, .unsigned:
            guard let raw = server.corrected(parts[5], unit: unit), let scaler = scaler(parts[4]) else { return nil }
            entry.text = Self.decimal(raw, scaler)
            if unit == nil, scaler == 0 {
                entry.value = .integer(raw)
            } else {
                entry.value = Double(entry.text).flatMap { .measured($0) }
            }
        case .boolean(let boolean):
            entry.text = boolean ? "true" : "false"
            entry.value = .boolean(boolean)
        case .octets(let bytes):
            entry.text = Self.text(bytes)
            entry.value = .text(entry.text)
        case .list, .absent, .endOfMessage: break
        }
        return entry
    }

    /// Powers of ten beyond these are no meter's.
    private static func scaler(_ element: SMLElement) -> Int? {
        guard let number = element.number else { return element == .absent ? 0 : nil }
        return (-12...12).contains(number) ? Int(number) : nil
    }

    /// The point is moved in the digits, so that 12345 at -2 is 123.45 and nothing near it.
    private static func decimal(_ raw: Int64, _ scaler: Int) -> String {
        let digits = String(raw.magnitude)
        let sign = raw < 0 ? "-" : ""
        guard scaler < 0 else { return sign + digits + (raw == 0 ? "" : String(repeating: "0", count: scaler)) }
        let padded = String(repeating: "0", count: max(0, 1 - scaler - digits.count)) + digits
        return sign + padded.dropLast(-scaler) + "." + padded.suffix(-scaler)
    }

    private static func text(_ bytes: [UInt8]) -> String {
        bytes.allSatisfy { (0x20...0x7E).contains($0) } ? String(decoding: bytes, as: UTF8.self) : Hex.text(bytes)
    }

    /// Only a real time counts: most meters send the seconds since they were switched on.
    private static func time(_ element: SMLElement) -> MeterTime {
        guard let parts = element.list, parts.count == 2, parts[0].number == 2, let seconds = parts[1].number else {
            return .notSent
        }
        return seconds >= earliest ? .at(Timestamp(milliseconds: seconds * 1_000)) : .invalid
    }
}

/// Units by their numbers. [IEC 62056-62, table of units]
enum SMLUnit {
    static let names: [Int64: String] = [
        8: "°", 9: "°C", 13: "m3", 14: "m3", 15: "m3/h", 16: "m3/h", 27: "W", 28: "VA", 29: "var", 30: "Wh", 31: "VAh",
        32: "varh", 33: "A", 35: "V", 44: "Hz",
    ]
}

/// The meter that sends a list, by its number after DIN 43863-5.
struct SMLServer {
    /// Serial numbers of the DZG DVS74, whose firmware sends a power from 327.68 to 655.35 W in two bytes as if it were
    /// negative. [github.com/volkszaehler/libsml/pull/136, where the maker names the ranges]
    private static let unsignedPower: [ClosedRange<UInt32>] = [42_000_000...48_999_999, 55_000_000...58_999_999]
    private static let prefix: [UInt8] = [0x0A, 0x01]

    let name: String
    private let sendsUnsignedPower: Bool

    init(_ id: [UInt8]) {
        guard id.count == 10, id.starts(with: Self.prefix), id[2..<5].allSatisfy({ (0x41...0x5A).contains($0) }) else {
            name = Hex.text(id)
            sendsUnsignedPower = false
            return
        }
        let maker = String(decoding: id[2..<5], as: UTF8.self)
        let serial = id[6...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let digits = String(serial)
        let block = String(id[5], radix: 16, uppercase: true)
        name =
            "1 \(maker) \(block.count < 2 ? "0" : "")\(block) "
            + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
        sendsUnsignedPower = maker == "DZG" && Self.unsignedPower.contains { $0.contains(serial) }
    }

    /// The number that was meant.
    func corrected(_ value: SMLElement, unit: String?) -> Int64? {
        if sendsUnsignedPower, unit == "W", case .integer(let number, size: 2) = value, number < 0 {
            return number + 65_536
        }
        return value.number
    }
}
