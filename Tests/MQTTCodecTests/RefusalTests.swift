import Bytes
import KnownPackets
import Testing

@testable import MQTTCodec

/// Bytes that are no packet, and why not.
@Suite struct RefusalTests {
    @Test(arguments: RefusedPacket.all)
    func `what the standard forbids is refused with its reason and place`(refused: RefusedPacket) throws {
        for version in refused.versions {
            #expect(throws: refused.error, "\(version)") { try Packet(refused.bytes, version) }
        }
    }

    // A reader that waits for bytes which can't make it right would hold a connection for nothing.
    @Test(arguments: RefusedPacket.all)
    func `a forbidden packet cut anywhere is refused or asks for more, but means nothing`(refused: RefusedPacket) {
        for version in refused.versions {
            for end in refused.bytes.indices {
                let packet = try? Packet(Array(refused.bytes[..<end]), version)
                #expect(packet == nil, "cut at \(end)")
            }
        }
    }

    @Test func `every reason that a packet by itself can have is in the table`() {
        let reasons = RefusedPacket.all.map(\.error.reason)
        let all: [DecodeError.Reason] = [
            .endsEarly, .trailingBytes, .remainingLengthTooLong, .variableLengthNotMinimal, .reservedPacketType,
            .wrongFlags, .qosThree, .duplicateWithoutQoS, .packetIDZero, .invalidUTF8, .topicEmpty,
            .topicHasWildcard, .noFilter, .reservedBits, .unknownProperty, .propertyNotAllowed, .propertyTwice,
            .propertyValue, .topicAliasZero, .unknownProtocolName, .unsupportedProtocolLevel, .willFlags,
            .passwordWithoutUserName,
        ]
        for reason in all { #expect(reasons.contains(reason), "\(reason)") }
    }
}
