import Bytes
import Foundation
import LinuxIO
import Readings

@testable import Store

/// What a log gave when it was opened.
struct Opened {
    var snapshot: [String] = []
    var frames: [String] = []
    var positions: [LogPosition] = []
    var recovery = Recovery()
    var statistics = LogStatistics()
}

/// Helpers for logs of short texts in the folder `/log` of a disk in memory.
enum TestLog {
    static let now = Timestamp(milliseconds: 1_795_456_931_000)  // 2026-11-23T18:02:11Z

    static func settings(segmentSize: Int = 4_000_000) -> LogSettings {
        var settings = LogSettings()
        settings.segmentSize = segmentSize
        return settings
    }

    static func open(
        _ disk: any Disk, _ path: String = "/log", segmentSize: Int = 4_000_000, salt: UInt64 = 0x5A17
    ) throws(StoreError) -> (Opened, LogBox) {
        var opened = Opened()
        let log = try RecordLog(
            opening: path, settings(segmentSize: segmentSize), now: now, disk: disk, salt: salt
        ) { origin, record in
            let text = String(decoding: [UInt8](copying: record), as: UTF8.self)
            switch origin {
            case .snapshot: opened.snapshot.append(text)
            case .log(let position):
                opened.frames.append(text)
                opened.positions.append(position)
            }
        }
        opened.recovery = log.recovery
        opened.statistics = log.statistics
        return (opened, LogBox(log))
    }

    static func look(_ disk: any Disk, _ path: String = "/log") throws(StoreError) -> Opened {
        try open(disk, path).0
    }
}

/// A log that can be handed around in a test.
final class LogBox {
    var log: RecordLog

    init(_ log: consuming RecordLog) {
        self.log = log
    }

    var isWritingSnapshot: Bool { log.isWritingSnapshot }

    @discardableResult
    func commit(_ texts: [String]) throws(StoreError) -> [LogPosition] {
        for text in texts {
            let bytes = Array(text.utf8)
            log.append(bytes.span)
        }
        return try log.commit()
    }

    func snapshot(_ texts: [String]) throws(StoreError) {
        _ = try log.beginSnapshot()
        for text in texts {
            let bytes = Array(text.utf8)
            try log.addToSnapshot(bytes.span)
        }
        try log.finishSnapshot()
    }

    func read(_ segment: UInt32) throws(StoreError) -> [String] {
        var texts: [String] = []
        _ = try log.read(segment: segment) { _, record in
            texts.append(String(decoding: [UInt8](copying: record), as: UTF8.self))
        }
        return texts
    }
}
