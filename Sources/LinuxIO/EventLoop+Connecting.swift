extension EventLoop {
    /// Connects to a TCP server by host name or numeric address; each address is tried, until `deadline`.
    ///
    /// A name like `localhost` often means ::1 first, where nobody may listen.
    package func connect(
        host: String, port: UInt16, until deadline: ContinuousClock.Instant
    ) async throws -> OwnedDescriptor {
        let addresses = try await blocking("resolve") { () throws(ResolveError) in try Socket.resolve(host) }
        var failure: any Error = CancellationError()
        for address in addresses {
            do {
                return try await connect(address: address, port: port, until: deadline)
            } catch let error as CancellationError {
                throw error
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private func connect(
        address: String, port: UInt16, until deadline: ContinuousClock.Instant
    ) async throws -> OwnedDescriptor {
        let socket = try Socket.connect(address: address, port: port)
        let subject = "\(address) port \(port)"
        switch await writable(socket.rawValue, until: deadline) {
        case .ready:
            if let code = Socket.connectError(socket.rawValue) {
                throw SystemError(code: code, call: "connect", subject: subject)
            }
        case .timedOut: throw SystemError(code: SystemError.timedOut, call: "connect", subject: subject)
        case .cancelled: throw CancellationError()
        case .failed(let error): throw error
        }
        Socket.setNoDelay(socket.rawValue)
        return socket
    }
}
