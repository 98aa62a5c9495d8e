"""Documents. Imports nothing: a child process would load it before its task.

* ``pdf``: PDF, with PDFium; ``pdf_tasks`` are its sandbox tasks.
* ``office``: convert an office document to PDF with LibreOffice.
* ``office_sandbox``: the program that isolates LibreOffice in Linux namespaces.
"""
