/// The lines of a text, as libyaml counts them.
enum TextLines {
    static func of(_ text: String) -> [String] {
        // One character may be CR LF, so that a separator "\\n" would not find it.
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
    }
}
