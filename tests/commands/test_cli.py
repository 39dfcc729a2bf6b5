def test_control_characters_of_a_command_line_are_shown_as_escapes(run_script):
    done = run_script("predict.py", "audio=\x1b[31mred\nof.mp3", "activation=flux")
    assert (done.status, done.err.count("\x1b"), done.err.count("Traceback")) == (1, 0, 0)
    assert "error: audio=\\x1b[31mred" in done.err
