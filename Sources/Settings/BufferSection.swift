import Bridge
import Documents

/// `buffer` of an upstream: what is kept while the server is away, and how it is sent later.
struct BufferSection {
    private enum PolicyWord: String, CaseIterable {
        case dropOldest = "drop-oldest"
        case dropNewest = "drop-newest"
        case latest
        case thin
    }

    static func read(_ section: Section, into settings: inout BridgeSettings) {
        var limits = settings.queue
        defer { settings.queue = limits }
        settings.bufferPath = path(section)
        if let count = section.integer("max_messages", 1...1_000_000_000) { limits.messages = count }
        if let size = section.size("max_size", 1_000...1_000_000_000_000) { limits.bytes = size }
        if let share = share(section) { limits.share = share }
        if let age = section.duration("max_age", or: "never") { limits.age = age }
        if let policy = policy(section) { limits.policy = policy }
        if let sync = StoreSection.sync(section) { limits.sync = sync.ofBuffer }
        if let replay = section.section("replay") { self.replay(replay, into: &limits.replay) }
        section.spelled([
            "messages": "max_messages", "bytes": "max_size", "size": "max_size", "age": "max_age",
            "share": "max_share", "folder": "path", "directory": "path", "policy": "full", "overflow": "full",
        ])
        section.finish()
    }

    private static func path(_ section: Section) -> String? {
        section.value("path", wanted: "the path of a folder, from '/' on: '/mnt/usb/martlet'") { text -> String? in
            text.hasPrefix("/") && text != "/" ? text : nil
        }?.value
    }

    private static func share(_ section: Section) -> Double? {
        section.value("max_share", wanted: "a part of the disk from 1% to 100%, like 50%") { text -> Double? in
            guard text.hasSuffix("%"), let number = Scalar.integer(String(text.dropLast())), (1...100).contains(number)
            else { return nil }
            return Double(number) / 100
        }?.value
    }

    private static func policy(_ section: Section) -> QueueLimits.Policy? {
        let word = section.word("full", PolicyWord.self)
        let one = section.integer("thin", 2...1_000)
        if section.has("thin"), !section.has("full") {
            section.problems.error(
                "'thin' says how much is left of what 'full: thin' thins", at: section.mark(of: "thin"),
                hint: "add full: thin, or take 'thin' out")
        }
        switch word {
        case .dropOldest: return .dropOldest
        case .dropNewest: return .dropNewest
        case .latest: return .latest
        case .thin: return .thin(keepingOneIn: one ?? 2)
        case nil: return nil
        }
    }

    // MARK: replay

    private static func replay(_ section: Section, into replay: inout QueueLimits.Replay) {
        if let rate = section.value("rate", wanted: "a number like 200/s or 600/min, or off", rate) {
            replay.rate = rate.value
        }
        // With a rate, what is new would else wait for hours behind what is old.
        replay.liveFirst = section.bool("live_first") ?? (replay.rate != nil)
        if let marks = section.bool("mark") { replay.marks = marks }
        if section.bool("keep_timestamp") == false {
            section.problems.error(
                "the time of measurement is always kept", at: section.mark(of: "keep_timestamp"),
                hint: "take the key out: a value that is sent late is as old as it is")
        }
        section.finish()
    }

    /// Nil inside for no limit.
    private static func rate(_ text: String) -> Double?? {
        if text == "off" || text == "false" { return .some(nil) }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let seconds = ["s": 1.0, "min": 60, "h": 3600]
        guard parts.count == 2, let count = Scalar.integer(String(parts[0])), (1...1_000_000).contains(count),
            let unit = seconds[String(parts[1])]
        else { return nil }
        return .some(Double(count) / unit)
    }
}

extension StoreSettings.Sync {
    /// The same for what waits for a server.
    var ofBuffer: QueueLimits.Sync {
        switch self {
        case .commit: .commit
        case .within(let duration): .within(duration)
        case .off: .off
        }
    }
}
