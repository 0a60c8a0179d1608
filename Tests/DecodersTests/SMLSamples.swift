@testable import Decoders

/// Files of real meters, each quoted from the tests of a public project.
enum SMLSamples {
    /// An Iskraemeco meter; github.com/felixwrt/sml-rs.
    static let iskra = bytes(
        """
        1B1B1B1B010101017605006345516200620072630101760101050021171B0B0A0149534B00047A554472620165002115
        5A620163828E00760500634552620062007263070177010B0A0149534B00047A5544070100620AFFFF72620165002115
        5A757707010060320101010101010449534B0177070100600100FF010101010B0A0149534B00047A5544017707010001
        0800FF650010010401621E52FF65000C13610177070100020800FF0101621E52FF62000177070100100700FF0101621B
        5200530860010101638E71007605006345536200620072630201710163AD55001B1B1B1B1A00D54B
        """)

    /// An EasyMeter Q3BA1022; openmuc.org/sml.
    static let easymeter = bytes(
        """
        1B1B1B1B010101017605043B66D962006200726500000101760101074553595133420B064553590104C5FA2EF7010163
        38BE007605043B66DA6200620072650000070177010B064553590104C5FA2EF701726201650B1A82477977078181C782
        03FF01010101044553590177070100010800FF0101621E52FC690000001408499D070177070100020800FF0101621E52
        FC6900000021E2BD91830177070100010801FF0101621E520165000D20570177070100010802FF0101621E5201650000
        00880177070100020801FF0101621E5201650016348D0177070100020802FF0101621E52016500000086017707010001
        0700FF0101621B52FE5500002AC80177070100600505FF01010101630180010101635257007605043B66DB6200620072
        6500000201710163274400001B1B1B1B1A013050
        """)

    /// An eBZ DD3 with its number blanked; github.com/spacemanspiff2007/sml2mqtt.
    static let ebz = bytes(
        """
        1B1B1B1B01010101760501188E6162006200726500000101760101070000000000000B00000000000000000000010163
        687700760501188E626200620072650000070177010B000000000000000000000172620165002EC3F47A77078181C782
        03FF010101010445425A0177070100000009FF010101010B000000000000000000000177070100010800FF6401018001
        621E52FB690000000A7AC1BC170177070100010801FF0101621E52FB690000000A74B1EA770177070100010802FF0101
        621E52FB6900000000060FD1A00177070100020800FF6401018001621E52FB69000000000D19E1C00177070100100700
        FF0101621B52FE55000089D90177070100240700FF0101621B52FE55000020220177070100380700FF0101621B52FE55
        00000A9201770701004C0700FF0101621B52FE5500005F2501010163810200760501188E636200620072650000020171
        016325FC000000001B1B1B1B1A0356F5
        """)

    static let all = [iskra, easymeter, ebz]

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.filter(\.isHexDigit)
        return stride(from: 0, to: digits.count, by: 2).compactMap { offset in
            let start = digits.index(digits.startIndex, offsetBy: offset)
            return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
        }
    }
}

/// Writes SML as a meter does.
enum SMLWriter {
    static func octets(_ bytes: [UInt8]) -> [UInt8] {
        let length = bytes.count + 1
        return (length < 16 ? [UInt8(length)] : [0x80 | UInt8((length + 1) >> 4), UInt8((length + 1) & 15)]) + bytes
    }

    /// A list entry: name, unit, scaler and the value as it is sent.
    static func entry(_ name: [UInt8], unit: UInt8, scaler: Int8, value: [UInt8]) -> [UInt8] {
        [0x77] + octets(name) + [1, 1, 0x62, unit, 0x52, UInt8(bitPattern: scaler)] + value + [1]
    }

    /// The messages of a file with one list.
    static func content(server: [UInt8], _ entries: [[UInt8]]) -> [UInt8] {
        let head: [UInt8] = [0x76, 2, 1, 0x62, 0, 0x62, 0, 0x72, 0x63, 7, 1, 0x77, 1]
        return head + octets(server) + [1, 1, 0x70 | UInt8(entries.count)] + entries.flatMap(\.self) + [
            1, 1, 0x63, 0, 0, 0,
        ]
    }

    static func file(_ content: [UInt8], sum: ([UInt8]) -> UInt16) -> [UInt8] {
        var file: [UInt8] = [0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1]
        var run = 0
        for byte in content {
            file.append(byte)
            run = byte == 0x1B ? run + 1 : 0
            if run == 4 {
                file += [0x1B, 0x1B, 0x1B, 0x1B]
                run = 0
            }
        }
        let padding = (4 - content.count % 4) % 4
        file += Array(repeating: 0, count: padding) + [0x1B, 0x1B, 0x1B, 0x1B, 0x1A, UInt8(padding)]
        let crc = sum(file)
        return file + [UInt8(crc & 255), UInt8(crc >> 8)]
    }
}
