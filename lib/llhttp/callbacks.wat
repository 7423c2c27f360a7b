;; What llhttp calls while it parses, kept out of JavaScript: a call from WebAssembly into JavaScript costs
;; more than all the parsing between two of them. It writes notes into a memory of its own, which never grows:
;;   0  bytes of body spans noted so far (8 a span)      4  1 = head complete, 2 = response complete
;;   8  header values of length 0 seen                  16  the spans: address, length, address, length, ...
;; 21 is HPE_PAUSED: it makes llhttp_execute return right behind the head, or behind the whole response.
(module
  (memory (export "notes") 2 2)
  (func (export "ignore") (param i32) (result i32) (i32.const 0))
  (func (export "ignoreSpan") (param i32 i32 i32) (result i32) (i32.const 0))
  (func (export "headerValue") (param $parser i32) (param $at i32) (param $length i32) (result i32)
    (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.eqz (local.get $length))))
    (i32.const 0))
  (func (export "headersComplete") (param i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 4) (i32.const 1))
    (i32.const 21))
  (func (export "messageComplete") (param i32) (result i32)
    (i32.store (i32.const 4) (i32.const 2))
    (i32.const 21))
  (func (export "body") (param $parser i32) (param $at i32) (param $length i32) (result i32)
    (local $bytes i32)
    (local.set $bytes (i32.load (i32.const 0)))
    (i32.store offset=16 (local.get $bytes) (local.get $at))
    (i32.store offset=20 (local.get $bytes) (local.get $length))
    (i32.store (i32.const 0) (i32.add (local.get $bytes) (i32.const 8)))
    (i32.const 0)))
