import CLinux

/// How many descriptors the process may have open.
package enum DescriptorLimit {
    /// Raises it to the hard limit: the soft one is 1024 by tradition, fewer than a broker may have clients.
    package static func raise() {
        clinux_raise_descriptor_limit()
    }

    /// Has the kernel's table made large enough for `count` now, at eight bytes each.
    ///
    /// It grows by doubling, and in a process with threads each time stops the caller for some ten milliseconds:
    /// under a storm of connects that was an `accept4` of 11 ms at the descriptors 256, 512, 1024 and so on.
    package static func makeRoom(for count: Int) {
        clinux_make_room_for_descriptors(UInt32(clamping: count))
    }
}
