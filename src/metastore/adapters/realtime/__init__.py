"""Messages to browsers: ``socketio`` speaks Socket.IO."""
