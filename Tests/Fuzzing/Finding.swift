/// Something that must not be, and what it was.
package struct Finding: Error, CustomStringConvertible {
    package var description: String

    init(_ description: String) { self.description = description }
}

func expect(_ isSo: Bool, _ what: @autoclosure () -> String) throws(Finding) {
    guard !isSo else { return }
    throw Finding(what())
}
