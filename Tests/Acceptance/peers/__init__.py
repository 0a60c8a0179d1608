"""The other ends: real programs and devices that the gateway is tested against."""
