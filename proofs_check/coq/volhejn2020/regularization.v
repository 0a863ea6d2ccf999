(* Volhejn 2020, eq 1.8: what the least regularised loss L + lambda S selects (V18). *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums vectors.
Import ListNotations.
Open Scope R_scope.

Section Family.
  Context {A : Type} (L S : A -> R).

  Definition minimises (lambda : R) (f : A) : Prop := forall g, L f + lambda * S f <= L g + lambda * S g.

  (* V18.a: nothing that fits no worse is smoother. *)
  Theorem smoothest_at_its_loss (lambda : R) (f g : A) :
    0 < lambda -> minimises lambda f -> L g <= L f -> S f <= S g.
  Proof. intros pos least fits. specialize (least g). nra. Qed.

  (* V18.b: the loss that is left is at most lambda times what S is below that of anything that interpolates. *)
  Theorem loss_at_most (lambda : R) (f g : A) :
    minimises lambda f -> L g = 0 -> L f <= lambda * (S g - S f).
  Proof. intros least zero. specialize (least g). lra. Qed.
End Family.

(* V18, as printed: f(x) = theta x through (1, 1), with S = |theta|, where theta = 1 interpolates. *)
Definition ray_loss (theta : R) : R := (theta * 1 - 1) ^ 2.

Theorem ray_never_interpolates (lambda : R) : 0 < lambda ->
  ray_loss 1 = 0 /\ forall theta, minimises ray_loss Rabs lambda theta -> 0 < ray_loss theta.
Proof.
  intros pos. split; [unfold ray_loss; lra|]. intros theta least. unfold ray_loss in *.
  assert (0 <= (theta * 1 - 1) ^ 2) as square by apply pow2_ge_0.
  destruct (Req_dec theta 1) as [->|off]; [exfalso|assert (theta - 1 <> 0) by lra; nra].
  destruct (Rle_dec lambda 2).
  - specialize (least (1 - lambda / 2)). rewrite Rabs_R1, Rabs_pos_eq in least by lra. nra.
  - specialize (least 0). rewrite Rabs_R1, Rabs_R0 in least. lra.
Qed.

(* V18.c: networks whose outputs may be scaled, and a measure that is scaled with them. *)
Section Scaled.
  Context {A : Type} (output : A -> vector -> R) (scale : R -> A -> A) (S : A -> R).

  Definition loss_on (target : A) (data : list vector) (f : A) : R :=
    mean (fun x => (output f x - output target x) ^ 2) data.
  Definition square_of (f : A) (data : list vector) : R := mean (fun x => output f x ^ 2) data.
  Definition scales_outputs : Prop := forall c f x, output (scale c f) x = c * output f x.
  Definition scales_measure : Prop := forall c f, 0 <= c -> S (scale c f) = c * S f.
  Definition shrinkage (lambda : R) (f : A) (data : list vector) (t : R) : Prop :=
    t <= 1 /\ 0 <= t /\
    (2 * t * square_of f data = lambda * S f \/ t = 1 /\ 2 * square_of f data <= lambda * S f).

  Theorem shrinking_pays (lambda : R) (f : A) (data : list vector) (t : R) :
    scales_outputs -> scales_measure -> 0 < lambda -> shrinkage lambda f data t ->
    loss_on f data (scale (1 - t) f) + lambda * S (scale (1 - t) f) <= (1 - t / 2) * (lambda * S f).
  Proof.
    intros outputs measures pos (t1 & t0 & meets). rewrite measures by lra.
    assert (loss_on f data (scale (1 - t) f) = t ^ 2 * square_of f data) as ->.
    { unfold loss_on, square_of. rewrite <- mean_scal. apply mean_eq. intros x _. rewrite outputs. ring. }
    destruct meets as [meets|[-> most]]; nra.
  Qed.
End Scaled.
