import GPIO

/// Lines that an actor holds, which can't hold what can't be copied.
final class LineHolder {
    var lines: HeldLines

    init(_ lines: consuming HeldLines) {
        self.lines = lines
    }
}
