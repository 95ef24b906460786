/* A shared library that is no game. */
extern int no_game;
int no_game;
