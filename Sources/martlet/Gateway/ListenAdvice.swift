import LinuxIO
import Network

/// What to do about a listener that can't be opened.
enum ListenAdvice {
    static func sentence(_ error: ListenError) -> String {
        switch error.cause {
        case .system(let cause):
            "can't listen on \(error.address): \(SystemError.text(of: cause.code)). \(advice(cause, error.address))"
        case .tls(let problem): "can't listen on \(error.address): \(problem)"
        case .journal(let why): why
        }
    }

    private static func advice(_ cause: SystemError, _ address: ListenAddress) -> String {
        switch (cause.kind, address) {
        case (.inUse, .tcp(_, let port)):
            let holder = PortOwner.find(port)
            let stop = holder?.hasPrefix("mosquitto ") == true ? " (`systemctl stop mosquitto`)" : ""
            return "\(holder ?? "Another program") listens there: stop it\(stop), "
                + "or give Martlet another port under `broker: listen:`."
        case (.inUse, .unix):
            return "Another Martlet runs with this socket: stop it, or choose another path under `broker: listen:`."
        case (.noPermission, .tcp(_, let port)) where port < 1024:
            return "Ports below 1024 are for root: choose a higher one under `broker: listen:`."
        case (.noPermission, .unix), (.notFound, .unix):
            return "The folder must be there, and Martlet must be allowed to write to it; "
                + "choose the path under `broker: listen:`."
        case (_, .systemd(let name)):
            return "systemd passed no listening socket of this name: the socket unit needs "
                + "`FileDescriptorName=\(name)`, and Martlet must be started by it."
        case (_, .tcp):
            return
                "The address must be one of this machine's; 127.0.0.1 is for this machine alone, 0.0.0.0 for all networks."
        default: return "Choose another place under `broker: listen:`."
        }
    }
}
