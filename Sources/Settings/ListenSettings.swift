/// How connections to a listener are carried: TLS, WebSocket, a proxy's header; paths are as they were written.
package struct ListenTransport: Equatable, Sendable {
    package struct TLS: Equatable, Sendable {
        /// `client_cert`: what is asked of clients.
        package enum ClientCertificate: String, CaseIterable, Sendable {
            case off
            case optional
            case require
        }

        /// `user_from`: where in the client's certificate its user name is.
        package enum UserSource: String, CaseIterable, Sendable {
            case commonName = "cn"
            case subjectAlternativeName = "san"
        }

        package enum Version: String, CaseIterable, Sendable {
            case tls12 = "1.2"
            case tls13 = "1.3"
        }

        package var certificate: String
        package var key: String
        package var clientCA: String?
        package var clientCertificate = ClientCertificate.off
        package var userFrom: UserSource?
        package var minimumVersion = Version.tls12
    }

    package struct WebSocket: Equatable, Sendable {
        package var path = "/mqtt"
        /// Nil lets pages of all origins connect.
        package var origins: [String]?
    }

    package var tls: TLS?
    package var webSocket: WebSocket?
    package var proxyProtocol = false
}
