"""Collections of DJ programs: rekordbox XML, Traktor NML, VirtualDJ's database."""
