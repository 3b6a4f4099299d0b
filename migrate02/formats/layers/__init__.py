"""Text inside text: how a here-document, a quoted word, a YAML scalar or a JSON string says another text. Pure.

A layer decodes what stands in the outer text into the inner one, with a source map, and encodes an inner text. What
the outer language fills in becomes a marker (see ``placeholders``), which the inner language takes for one variable;
what the outer language escapes is plain text inside. Layers stack: an edit of the innermost text is encoded by each
layer on its way out, and touches nothing but its own run. What a layer cannot hold is refused, never written
differently.
"""
