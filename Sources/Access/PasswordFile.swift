/// A file of users, one a line: a name, a colon, a password record.
///
/// Empty lines and lines that begin with `#` are kept as they are. A line that can't be read is told of and left
/// out; the others count.
package struct PasswordFile: Equatable, Sendable {
    /// Something wrong in a line.
    package struct Problem: Equatable, Sendable {
        /// From 1.
        package var line: Int
        package var message: String
        package var hint: String
    }

    private var lines: [Line]
    package private(set) var problems: [Problem] = []

    private struct Line: Equatable, Sendable {
        var text: String
        var user: String?
        var record: PasswordRecord?
    }

    /// Reads the text of a file.
    package init(_ text: String) {
        lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            Line(text: String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self))
        }
        // The end of the last line is no line more.
        if lines.last?.text.isEmpty == true { lines.removeLast() }
        for place in lines.indices { read(place) }
    }

    private mutating func read(_ place: Int) {
        let text = Self.trimmed(lines[place].text)
        guard !text.isEmpty, text.first != "#" else { return }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), colon > text.startIndex else {
            return complain(place, "there is no user in this line", "write it with: martlet passwd FILE USER")
        }
        let user = String(text[..<colon])
        guard !lines[..<place].contains(where: { Self.isSame($0.user, user) }) else {
            return complain(place, "'\(user)' has a line above already, which counts", "take one of them out")
        }
        do throws(PasswordRecord.Complaint) {
            lines[place].record = try PasswordRecord(text[text.utf8.index(after: colon)...])
            lines[place].user = user
        } catch {
            complain(place, "'\(user)' can't log in: \(error.message)", error.hint)
        }
    }

    private mutating func complain(_ place: Int, _ message: String, _ hint: String) {
        problems.append(Problem(line: place + 1, message: message, hint: hint))
    }

    private static func trimmed(_ text: String) -> Substring {
        var text = text[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }

    /// Names are bytes, like everything in MQTT.
    private static func isSame(_ left: String?, _ right: String) -> Bool {
        left.map { $0.utf8.elementsEqual(right.utf8) } ?? false
    }

    /// Those that can log in.
    package var users: [[UInt8]: PasswordRecord] {
        var users: [[UInt8]: PasswordRecord] = [:]
        for line in lines { if let user = line.user { users[Array(user.utf8)] = line.record } }
        return users
    }

    /// The text of the file with all changes.
    package var text: String { lines.map { $0.text + "\n" }.joined() }

    /// Gives a user a password, in the place of the old one if there was one; says whether there was.
    @discardableResult
    package mutating func set(_ user: String, _ record: PasswordRecord) -> Bool {
        let line = Line(text: "\(user):\(record)", user: user, record: record)
        guard let place = place(of: user) else {
            lines.append(line)
            return false
        }
        lines[place] = line
        return true
    }

    /// Takes a user out; says whether there was one.
    package mutating func remove(_ user: String) -> Bool {
        guard let place = place(of: user) else { return false }
        lines.remove(at: place)
        return true
    }

    /// Lines that can't be read count too: who sets the password again mends them.
    private func place(of user: String) -> Int? {
        lines.firstIndex {
            Self.isSame($0.user, user) || $0.user == nil && $0.text.utf8.starts(with: (user + ":").utf8)
        }
    }

    /// Why nobody can have this name; nil if somebody can.
    package static func objection(to user: String) -> String? {
        if user.isEmpty { return "a user needs a name" }
        if user.utf8.count > 256 { return "a user's name has 256 bytes at most" }
        if user.utf8.contains(UInt8(ascii: ":")) { return "a user's name has no ':' in it: that ends it in the file" }
        if user.utf8.first == UInt8(ascii: "#") {
            return "a user's name does not begin with '#': that is a comment in the file"
        }
        if user.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            return "a user's name has no control characters in it"
        }
        return user.first?.isWhitespace == true || user.last?.isWhitespace == true
            ? "a user's name neither begins nor ends with a space" : nil
    }
}
