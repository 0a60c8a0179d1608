import Hashing
import Testing

@testable import Access

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct ScramExchangeTests {
    private let pencil = ScramCredentials(
        password: bytes("pencil"), salt: Base64.bytes("W22ZaJ0SNY7soEsUEjb6gQ==") ?? [], iterations: 4096)
    private let nonce = bytes("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    private let final =
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="

    private func begin(_ message: String = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO") -> ScramExchange? {
        ScramExchange(bytes(message), serverNonce: nonce, secret: [7]) { $0 == bytes("user") ? pencil : nil }
    }

    // RFC 7677, section 3.
    @Test func `the exchange is that of the standard`() throws {
        let exchange = try #require(begin())
        #expect(exchange.user == bytes("user"))
        #expect(
            exchange.challenge
                == bytes("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"))
        #expect(exchange.answer(bytes(final)) == bytes("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="))
    }

    @Test func `no other final message is taken`() throws {
        let exchange = try #require(begin())
        let good = bytes(final)
        #expect(exchange.answer([]) == nil)
        #expect(exchange.answer(bytes("c=biws,r=rOprNGfwEbeRWgbNEkqO,p=dHzb")) == nil)
        // The channel binding header of another first message.
        #expect(exchange.answer(bytes("c=eSws" + final.dropFirst(6))) == nil)
        for place in good.indices {
            var wrong = good
            wrong[place] ^= 1
            #expect(exchange.answer(wrong) == nil)
            #expect(exchange.answer(Array(good[..<place])) == nil)
        }
    }

    @Test func `an unknown user is challenged like a known one, always alike, and never gets in`() throws {
        let first = try #require(begin("n,,n=nobody,r=abc"))
        let second = try #require(begin("n,,n=nobody,r=abc"))
        #expect(first.challenge == second.challenge)
        #expect(first.answer(bytes("c=biws,r=abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=\(Base64.text(nonce))")) == nil)
        let other = try #require(begin("n,,n=somebody,r=abc"))
        #expect(first.challenge != other.challenge)
    }

    @Test func `commas and equals signs in names are undone`() throws {
        #expect(try #require(begin("n,,n=a=2Cb=3Dc,r=x")).user == bytes("a,b=c"))
        #expect(try #require(begin("y,,n=user,r=x,ext=1")).user == bytes("user"))
    }

    @Test(arguments: [
        "", "n", "n,,", "n,,n=user", "n,,r=x,n=user", "n,a=other,n=user,r=x", "p=tls-unique,,n=user,r=x", "n,,n=,r=x",
        "n,,n=user,r=", "n,,n=us=er,r=x", "n,,n=us=2,r=x", "n,,m=ext,n=user,r=x", "n,,n=user,r=a b", "x,,n=user,r=x",
    ])
    func `a first message that can't be answered is refused`(message: String) {
        #expect(begin(message) == nil)
    }
}
