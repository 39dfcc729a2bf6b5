"""Libraries of DJ programs: rekordbox XML, Traktor NML, VirtualDJ, Mixxx, and Serato's tags."""
