package import Bytes
import Glibc

extension MonotonicTime {
    /// What the clock says; answered by the kernel's shared page, without a system call.
    package static var now: MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
