import Readings

/// The value alone, as people and simple displays read it.
///
/// It has no place for a quality. So a stale value is not said again (it would look fresh); that the device is gone is
/// on its `$online`, and the message expires.
enum ValueFormat {
    static func payload(of reading: Reading) -> [UInt8]? {
        reading.quality == .stale ? nil : [UInt8](reading.value.description.utf8)
    }
}
