import Bytes
import MQTTCodec

/// One message in the encoded forms that its recipients need: made once each, then copied to everybody.
///
/// The forms differ by version and by whether there is a packet identifier; first byte and identifier are put in
/// per recipient. Fan-out then costs one copy a recipient.
struct EncodedPublish {
    private var forms: [[UInt8]] = [[], [], [], []]

    /// A new message: the forms of the last one are no longer valid.
    mutating func begin() {
        for kind in forms.indices where !forms[kind].isEmpty { forms[kind].removeAll(keepingCapacity: true) }
    }

    /// Makes the form that `shape` needs, if it isn't there, and returns its place.
    mutating func prepare(
        _ shape: PublishShape, _ topic: Span<UInt8>, _ properties: Span<UInt8>, _ payload: Span<UInt8>
    ) -> Int {
        let kind = (shape.version == .v5 ? 2 : 0) + (shape.qos == .atMostOnce ? 0 : 1)
        guard forms[kind].isEmpty else { return kind }
        shape.appendStart(to: &forms[kind])
        forms[kind].append(copying: topic)
        shape.appendMiddle(to: &forms[kind])
        if shape.version == .v5 { forms[kind].append(copying: properties) }
        forms[kind].append(copying: payload)
        return kind
    }

    func length(_ kind: Int) -> Int { forms[kind].count }

    func append(_ kind: Int, _ shape: PublishShape, to output: inout OutputBuffer) {
        output.append(
            packet: forms[kind], firstByte: shape.firstByte, packetID: shape.packetID, at: shape.packetIDPosition)
    }
}
