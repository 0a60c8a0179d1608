import Decoders
import Testing

@Suite struct VEDirectTests {
    private func records(_ bytes: [UInt8]) -> [FieldRecord] {
        StreamSample("", .known(.veDirect), bytes, isProven: true).decode()
            .compactMap { if case .record(let record) = $0 { record } else { nil } }
    }

    /// What is in a dump without HEX messages, found by its checksum lines alone.
    private func plainBlocks(_ bytes: [UInt8]) -> [[FieldRecord.Field]] {
        let end = Array("\r\nChecksum\t".utf8)
        var blocks: [[FieldRecord.Field]] = []
        var start = 0
        var index = 0
        while index + end.count < bytes.count {
            if bytes[index] == end[0], Array(bytes[index..<index + end.count]) == end {
                let text = String(decoding: bytes[start..<index], as: UTF8.self)
                blocks.append(
                    text.split(separator: "\r\n").map { line in
                        let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
                        return FieldRecord.Field(String(parts.first ?? ""), String(parts.last ?? ""))
                    })
                index += end.count + 1
                start = index
            } else {
                index += 1
            }
        }
        return blocks
    }

    @Test func `every block of the battery monitor's dump gives its values`() {
        let bytes = StreamSample.file("vedirect/bvm702.dump")
        let found = records(bytes)
        #expect(found.count == 906)
        #expect(found.map(\.fields) == plainBlocks(bytes))
        #expect(found.first?["V"] == "12065")
        #expect(found.first?["TTG"] == "942")
    }

    @Test func `every block of the solar charger's dump but the torn first one gives its values`() {
        let found = records(StreamSample.file("vedirect/smartsolar_1.39.dump"))
        #expect(found.count == 493)
        #expect(found.allSatisfy { $0["V"] != nil && $0["VPV"] != nil })
    }

    private func block(_ lines: String) -> [UInt8] {
        let bytes = Array(lines.utf8) + Array("\r\nChecksum\t".utf8)
        return bytes + [0 &- bytes.reduce(0 as UInt8) { $0 &+ $1 }]
    }

    @Test func `HEX messages may stand anywhere`() {
        let whole = block("\r\nV\t12000\r\nI\t-5")
        let hex = Array(":7F0ED009600DB\n".utf8)
        for place in whole.indices.dropLast() {
            let bytes = Array(whole[..<place] + hex + whole[place...])
            #expect(records(bytes).map(\.fields) == [[.init("V", "12000"), .init("I", "-5")]])
        }
        #expect(records(hex + whole + hex + whole).count == 2)
    }

    @Test func `the checksum byte may be any byte, a colon and a line feed too`() {
        var seen: Set<UInt8> = []
        for number in 0..<3_000 {
            let whole = block("\r\nV\t\(number)")
            guard let sum = whole.last, seen.insert(sum).inserted else { continue }
            #expect(records(whole + block("\r\nV\t1")).count == 2)
        }
        #expect(seen.isSuperset(of: [0x3A, 0x0A, 0x0D]) || seen.count > 40)
    }
}
