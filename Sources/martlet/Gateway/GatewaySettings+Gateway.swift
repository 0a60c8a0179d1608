import Access
import Broker
import Control
import Drivers
import LinuxIO
import Mapping
import Network
import Profiles
import Readings
import Settings

extension JournalSync {
    init(_ sync: StoreSettings.Sync) {
        switch sync {
        case .commit: self = .commit
        case .within(let interval): self = .within(interval)
        case .off: self = .off
        }
    }
}

extension GatewaySettings {
    /// What may be written to, by device and point.
    var actuators: [Actuators.Name: ActuatorSettings] {
        var actuators: [Actuators.Name: ActuatorSettings] = [:]
        for device in devices {
            for point in device.points {
                guard let actuator = point.actuator else { continue }
                actuators[Actuators.Name(device: device.key, point: point.definition.name)] = actuator
            }
        }
        for device in gpio {
            for point in device.points {
                guard let actuator = point.actuator else { continue }
                actuators[Actuators.Name(device: device.key, point: point.name)] = actuator
            }
        }
        return actuators
    }

    /// What the drivers are to run; `simulated` has the path of the virtual device for each port with `simulate`.
    func driven(simulated: [String: String]) -> DeviceSupervisor.Settings {
        var driven = DeviceSupervisor.Settings(ports: ports, devices: devices)
        (driven.gpio, driven.sysfs, driven.simulated) = (gpio, sysfs, simulated)
        return driven
    }

    /// What is known of the time before the clock is set; `last` is what was known when the gateway last ran.
    func clockSettings(last: Timestamp?) -> ClockSettings {
        var settings = clock
        settings.notBefore = max(Version.notBefore, last ?? Version.notBefore)
        return settings
    }

    /// What runs, for the log and `systemctl status`.
    var summary: String {
        let count = devices.count + gpio.count + sysfs.count
        let devices = "\(count) device\(count == 1 ? "" : "s")"
        let ports = "\(ports.count) port\(ports.count == 1 ? "" : "s")"
        return "\(id) runs: \(devices) on \(ports)"
    }

    /// The broker, as Network wants it.
    func broker(heartbeat: Duration, _ environment: ProcessEnvironment) -> BrokerServer.Settings {
        var broker = BrokerServer.Settings(
            listeners: brokerListeners(environment),
            host: BrokerHost(node: id, version: "martlet version \(Version.current)") { WallClock.now })
        broker.access = access
        broker.limits = brokerLimits
        broker.heartbeatInterval = heartbeat
        broker.sync = JournalSync(store.sync)
        return broker
    }

    /// The folder of what the gateway keeps.
    func stateFolder(_ environment: ProcessEnvironment) -> String {
        stateDirectory(ofService: environment["STATE_DIRECTORY"])
    }

    /// Where the broker listens, and how.
    func brokerListeners(_ environment: ProcessEnvironment) -> [ListenerSettings] {
        let own = listeners.map { listener in
            var settings = ListenerSettings(
                address: listener.listenAddress, anonymous: (listener.access.anonymous ?? anonymous).forListeners)
            settings.tls = listener.transport.tls.map(TLSListenerSettings.init)
            settings.webSocket = listener.transport.webSocket.map(WebSocketListenerSettings.init)
            settings.proxyProtocol = listener.transport.proxyProtocol
            return settings
        }
        let service = serviceSockets(environment).map {
            ListenerSettings(address: $0, anonymous: anonymous.forListeners)
        }
        return own + service
    }

    /// Who may connect and who may do what, for all listeners and for those with words of their own.
    var access: AccessSettings {
        var access = AccessSettings()
        access.general = policy(userFile, rules)
        for listener in listeners where listener.access.userFile != nil || listener.access.rules != nil {
            access.listeners[listener.listenAddress.description] = policy(
                listener.access.userFile ?? userFile, listener.access.rules ?? rules)
        }
        return access
    }

    private func policy(_ userFile: String?, _ rules: [AccessRule]?) -> AccessSettings.Policy {
        AccessSettings.Policy(
            users: userFile.map { users[$0] ?? [:] }, rules: rules.map { AccessRules($0, groups: groups) })
    }

    /// By default a Unix socket in the service's own folder, for programs of its group. [systemd.exec(5)]
    func serviceSockets(_ environment: ProcessEnvironment) -> [ListenAddress] {
        guard !hasOwnListeners, let folder = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first else {
            return []
        }
        return [.unix(path: "\(folder)/martlet.sock", mode: 0o660)]
    }
}

extension ListenSettings {
    fileprivate var listenAddress: ListenAddress {
        switch address {
        case .tcp(let address, let port): .tcp(address: address, port: port)
        case .unix(let path, let mode): .unix(path: path, mode: mode)
        case .systemd(let name): .systemd(name: name)
        }
    }
}

extension TLSListenerSettings {
    fileprivate init(_ tls: ListenTransport.TLS) {
        self.init(certificate: tls.certificate, key: tls.key)
        clientCA = tls.clientCA
        clientCertificate =
            switch tls.clientCertificate {
            case .off: .off
            case .optional: .optional
            case .require: .require
            }
        userFrom = tls.userFrom.map { $0 == .commonName ? .commonName : .subjectAlternativeName }
        minimumVersion = tls.minimumVersion == .tls12 ? .tls12 : .tls13
    }
}

extension WebSocketListenerSettings {
    fileprivate init(_ webSocket: ListenTransport.WebSocket) {
        self.init()
        path = webSocket.path
        origins = webSocket.origins
    }
}

extension Anonymous {
    fileprivate var forListeners: ListenerSettings.Anonymous {
        switch self {
        case .loopback: .loopback
        case .everybody: .everybody
        case .nobody: .nobody
        }
    }
}

extension UpstreamLink.Settings {
    /// The upstream as the configuration says it.
    init(_ upstream: UpstreamSettings) {
        self.init(host: upstream.host, port: upstream.port, bridge: upstream.bridge)
        addresses = upstream.addresses.map { UpstreamLink.Address(host: $0.host, port: $0.port, path: $0.path) }
        order = upstream.order == .first ? .first : .roundRobin
        version =
            switch upstream.version {
            case .automatic: .automatic
            case .v311: .v311
            case .v5: .v5
            }
        bridgeBit =
            switch upstream.bridgeBit {
            case .automatic: .automatic
            case .on: .on
            case .off: .off
            }
        keepAliveSeconds = upstream.keepAliveSeconds
        stableAfter = upstream.stableAfter
        (name, statusName) = (upstream.name, upstream.statusName)
        tls = upstream.tls.map { settings in
            var tls = UpstreamLink.TLS()
            tls.ca = settings.ca
            tls.certificate = settings.certificate
            tls.key = settings.key
            tls.serverName = settings.serverName
            tls.alpn = settings.alpn
            return tls
        }
        userName = upstream.userName
        password = upstream.password
    }
}
