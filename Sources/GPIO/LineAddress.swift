/// Which line is meant, in words that stay true when chips are numbered anew.
package enum LineAddress: Hashable, Sendable {
    /// By the name that the board gives it, on whichever chip.
    case named(String)
    /// By the label of its chip and its place there.
    case labelled(chip: String, offset: Int)
}

extension LineAddress: CustomStringConvertible {
    /// As commands take it: `GPIO17` or `pinctrl-bcm2711:17`.
    package var description: String {
        switch self {
        case .named(let name): name
        case .labelled(let chip, let offset): "\(chip):\(offset)"
        }
    }

    /// Reads what a person typed: `label:offset`, else a name.
    package init(_ text: String) {
        if let colon = text.lastIndex(of: ":"), let offset = Int(text[text.index(after: colon)...]), offset >= 0 {
            self = .labelled(chip: String(text[..<colon]), offset: offset)
        } else {
            self = .named(text)
        }
    }
}
