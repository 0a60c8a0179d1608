package import Access
package import Broker
package import Control
package import Mapping
package import Modbus
package import Profiles

/// Everything that the configuration says, checked and typed: what the assembly starts from.
package struct GatewaySettings: Sendable {
    /// `gateway.id`: in topics and client ids.
    package var id: String
    package var name: String?
    package var clock = ClockSettings()
    /// `gateway.state_dir`: the folder for all that outlives the process; nil where it is not said.
    package var stateDirectory: String?
    package var store = StoreSettings()
    package var log = LogSettings()
    /// By their keys, in the order of the file.
    package var ports: [PortSettings] = []
    package var devices: [DeviceSettings] = []
    package var gpio: [GPIODeviceSettings] = []
    package var sysfs: [SysfsDeviceSettings] = []
    package var mapping: MappingSettings
    package var listeners: [ListenSettings] = [ListenSettings(address: .tcp(address: "127.0.0.1", port: 1883))]
    /// Whether `broker.listen` says where to listen; if not, a service adds a Unix socket of its own.
    package var hasOwnListeners = false
    package var brokerLimits = BrokerLimits()
    /// Who may connect without a user name.
    package var anonymous = Anonymous.loopback
    /// The path of the file with users and passwords; nil where there are no users.
    package var userFile: String?
    /// Who is in the files that are named here, by path; for who reads the files to fill in.
    package var users: [String: [[UInt8]: PasswordRecord]] = [:]
    /// Who may do what; nil allows everything to everybody who was let in.
    package var rules: [AccessRule]?
    /// The members of the groups that rules speak of.
    package var groups: [String: Set<[UInt8]>] = [:]
    /// In the order of the file; their names differ.
    package var upstreams: [UpstreamSettings] = []

    /// The files with users that are named anywhere.
    package var userFiles: [String] {
        var files: [String] = []
        for case let file? in [userFile] + listeners.map(\.access.userFile) where !files.contains(file) {
            files.append(file)
        }
        return files
    }

    package init(id: String) {
        self.id = id
        mapping = MappingSettings(gateway: id)
    }

    /// Where the gateway keeps its data: as configured, else where the service manager made a folder for it
    /// (`$STATE_DIRECTORY`; of several the first), else at the usual place.
    package func stateDirectory(ofService folders: String?) -> String {
        let ofService = folders?.split(separator: ":").first.map(String.init)
        return stateDirectory ?? ofService ?? "/var/lib/martlet"
    }
}

package struct LogSettings: Equatable, Sendable {
    package enum Level: String, CaseIterable, Sendable {
        case debug, info, warning, error
    }

    package var level = Level.info
    /// By subsystem: `bridge`, `broker`, `devices`, `gateway`.
    package var per: [String: Level] = [:]

    package init() {}
}

/// `broker.auth.anonymous`; the raw value is its word.
package enum Anonymous: String, CaseIterable, Sendable {
    /// Only clients on this machine.
    case loopback
    case everybody = "true"
    case nobody = "false"
}

/// One entry of `broker.listen`.
package struct ListenSettings: Equatable, Sendable {
    package enum Address: Equatable, Sendable {
        /// A numeric address.
        case tcp(address: String, port: UInt16)
        /// A path, and its file mode.
        case unix(path: String, mode: UInt32)
        /// Sockets that systemd opened, by their `FileDescriptorName=`.
        case systemd(name: String)
    }

    package var address: Address
    package var transport = ListenTransport()
    package var access = AccessOverrides()

    package init(address: Address) {
        self.address = address
    }
}

/// One entry of `ports`.
package struct PortSettings: Equatable, Sendable {
    package enum Place: Equatable, Sendable {
        /// By USB identity: vendor and product as "0403:6001", and serial number or socket path where given.
        case usb(vendorProduct: String, serial: String?, path: String?, interface: Int? = nil)
        /// A path under /dev, a by-id link, a pty.
        case device(path: String)
        case tcp(host: String, port: UInt16)
        /// A virtual device of this profile.
        case simulate(profile: String)
    }

    package enum Flow: String, CaseIterable, Sendable {
        case none
        case rtscts
        case xonxoff
    }

    package enum RS485: Equatable, Sendable {
        /// Used where the driver has it.
        case auto
        case off
        /// Demanded: the port fails where the driver lacks it.
        case on(rtsOnSend: Bool, delayBefore: Duration, delayAfter: Duration)
    }

    package enum DTR: String, CaseIterable, Sendable {
        case keep
        case on
        case off
    }

    package var key: String
    package var place: Place
    /// Nil takes the profile's.
    package var baudrate: Int?
    /// Nil takes the profile's.
    package var format: LineFormat?
    package var flow = Flow.none
    package var rs485 = RS485.auto
    package var dtr = DTR.keep
    /// Timing and limits of a Modbus bus; `mode` is `tcp` for a `tcp:` place with `modbus: { mode: tcp }`.
    package var modbus = MasterSettings()
    /// Biggest block of one read; nil takes the profile's, else 125.
    package var maximumRegisters: Int?
    /// Unused registers read over to join two blocks.
    package var maximumHole = 6

    package init(key: String, place: Place) {
        self.key = key
        self.place = place
    }
}

/// One entry of `devices`.
package struct DeviceSettings: Equatable, Sendable {
    package var key: String
    package var name: String?
    package var profile: Profile
    /// Key of the port it is on.
    package var port: String
    /// Modbus unit; the profile's when not given.
    package var unit: UInt8
    /// How often its points are read, unless they say otherwise; nil for devices that speak unasked.
    package var poll: Duration?
    /// The profile's points that are not switched off, with their overrides.
    package var points: [DevicePoint]

    package init(key: String, profile: Profile, port: String, unit: UInt8, points: [DevicePoint]) {
        self.key = key
        self.profile = profile
        self.port = port
        self.unit = unit
        self.points = points
    }
}

/// A point of a device as it is run.
package struct DevicePoint: Equatable, Sendable {
    package var definition: ProfilePoint
    /// How often it is read; nil for devices that speak unasked.
    package var poll: Duration?
    /// Set where the point takes commands.
    package var actuator: ActuatorSettings?

    package init(definition: ProfilePoint) {
        self.definition = definition
    }
}
