import CLinux

/// How many descriptors the process may have open.
package enum DescriptorLimit {
    /// Raises it to the hard limit: the soft one is 1024 by tradition, fewer than a broker may have clients.
    package static func raise() {
        clinux_raise_descriptor_limit()
    }
}
