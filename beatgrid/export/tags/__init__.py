"""Tags in audio files: a BPM, or Serato's beat grid."""
