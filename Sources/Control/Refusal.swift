/// Why a command was not carried out: a word for programs and a sentence for people.
package struct Refusal: Error, Equatable, Sendable {
    package var word: Word
    package var detail: String

    /// The word in the answer's `error`.
    package enum Word: String, CaseIterable, Sendable {
        /// A retained command would fire again at every reconnect.
        case rejectedRetained = "rejected_retained"
        case tooOld = "too_old"
        /// The command's time is further in the future than clocks should differ.
        case clockDiffers = "clock_differs"
        case notAllowedValue = "not_allowed_value"
        /// Not a value and not a JSON object that can be understood.
        case malformed
        /// The point takes no commands.
        case notWritable = "not_writable"
        case deviceOffline = "device_offline"
        case rateLimited = "rate_limited"
        /// Another output that must not be on with it is on, or may be.
        case interlock
        /// It has not been off for long enough.
        case minOff = "min_off"
        /// It has been on for too long and is switched off first.
        case maxOn = "max_on"
        /// What the command asks for depends on how the output stands, and that is not known.
        case stateUnknown = "state_unknown"
        /// A newer command took its place while it waited.
        case superseded
        /// Written, but no answer came.
        case timeout
        /// The device said no.
        case refusedByDevice = "refused_by_device"
        /// Written, but reading back showed another value.
        case verifyFailed = "verify_failed"
        /// The gateway is stopping.
        case stopping
    }

    /// Whether a write that failed so has surely changed nothing.
    var leavesAllAsItWas: Bool {
        switch word {
        case .deviceOffline, .refusedByDevice, .notAllowedValue, .notWritable: true
        default: false
        }
    }

    package init(_ word: Word, _ detail: String) {
        self.word = word
        self.detail = detail
    }
}
