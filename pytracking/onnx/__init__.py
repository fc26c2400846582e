"""Networks as ONNX files: written, checked when they are read, and run by ONNX Runtime in place of torch.

``python -m pytracking.onnx`` (or ``socl export NAME --format onnx``) writes them. The packages ``onnx`` and
``onnxruntime`` are imported where they are used. What never lives here: trackers and networks themselves.
"""
