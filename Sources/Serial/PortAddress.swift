/// How a configuration names a port.
package enum PortAddress: Equatable, Sendable, CustomStringConvertible {
    /// A path to the device, a link to it, or a pseudo-terminal.
    case device(String)
    case matching(PortIdentity)

    package var description: String {
        switch self {
        case .device(let path): path
        case .matching(let identity): identity.description
        }
    }

    /// The path to open now; looks through the ports that are there, so call it where blocking is fine.
    package func locate() throws(SerialError) -> String {
        switch self {
        case .device(let path): path
        case .matching(let identity): try identity.find(among: PortFinder.ports()).path
        }
    }
}
