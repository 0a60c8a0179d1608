package import LinuxIO

/// Where the broker listens.
package enum ListenAddress: Equatable, Sendable {
    /// A numeric address (`127.0.0.1`, `::1`, `0.0.0.0`); port 0 takes a free one.
    case tcp(address: String, port: UInt16)
    /// A path, and who may connect as file permissions.
    case unix(path: String, mode: UInt32)
}

extension ListenAddress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tcp(let address, let port): address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
        case .unix(let path, _): path
        }
    }
}

/// One listener of the broker, with whom it lets in.
package struct ListenerSettings: Equatable, Sendable {
    package var address: ListenAddress
    package var anonymous: Anonymous

    /// Who may connect without a user name.
    package enum Anonymous: Equatable, Sendable {
        /// Only clients on this machine.
        case loopback
        case everybody
        case nobody
    }

    package init(address: ListenAddress, anonymous: Anonymous = .loopback) {
        self.address = address
        self.anonymous = anonymous
    }
}

/// Why a listener could not be opened, with what to do.
package struct ListenError: Error, Equatable, Sendable, CustomStringConvertible {
    package var address: ListenAddress
    package var cause: SystemError

    package var description: String {
        "can't listen on \(address): \(cause)"
    }
}
