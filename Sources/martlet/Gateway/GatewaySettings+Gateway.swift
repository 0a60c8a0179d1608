import Broker
import Control
import LinuxIO
import Network
import Profiles
import Settings

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
        return actuators
    }

    /// What runs, for the log and `systemctl status`.
    var summary: String {
        let devices = "\(devices.count) device\(devices.count == 1 ? "" : "s")"
        let ports = "\(ports.count) port\(ports.count == 1 ? "" : "s")"
        return "\(id) runs: \(devices) on \(ports)"
    }

    /// The broker, as Network wants it.
    func broker(heartbeat: Duration, _ environment: ProcessEnvironment) -> BrokerServer.Settings {
        let addresses = listeners.map(\.listenAddress) + serviceSockets(environment)
        var broker = BrokerServer.Settings(
            listeners: addresses.map { ListenerSettings(address: $0, anonymous: anonymous.forListeners) },
            host: BrokerHost(node: id, version: "martlet version \(Version.current)") { WallClock.now })
        broker.limits = brokerLimits
        broker.heartbeatInterval = heartbeat
        return broker
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
        }
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
        tls = upstream.tls.map { settings in
            var tls = UpstreamLink.TLS()
            tls.ca = settings.ca
            tls.certificate = settings.certificate
            tls.key = settings.key
            return tls
        }
        userName = upstream.userName
        password = upstream.password
    }
}
