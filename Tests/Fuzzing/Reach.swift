/// How far into the broker the inputs came: a fuzzer whose inputs are all refused at the door finds nothing.
package struct Reach: CustomStringConvertible {
    package private(set) var packets = 0
    package private(set) var malformed = 0
    package private(set) var delivered = 0
    package private(set) var takeOvers = 0
    /// Messages that rules kept from clients.
    package private(set) var heldBack = 0

    package var description: String {
        """
        \(packets) packets for brokers, \(malformed) malformed, \(delivered) messages delivered, \(heldBack) held back by \
        rules, \(takeOvers) take-overs
        """
    }

    static func += (left: inout Reach, right: Reach) {
        left.packets += right.packets
        left.malformed += right.malformed
        left.delivered += right.delivered
        left.takeOvers += right.takeOvers
        left.heldBack += right.heldBack
    }
}
