package hostile
